//! Tower middleware that tells which request grew your process's memory.
