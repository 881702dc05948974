//! The log as JSON, kept in memory, and the contract on its fields.

use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, Visitor},
};
use serde_json::Value;
use std::{
    fmt, io,
    sync::{Arc, Mutex},
};
use tracing::{Level, subscriber::DefaultGuard};

#[derive(Clone, Default)]
pub struct Lines(Arc<Mutex<Vec<u8>>>);

impl io::Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().expect("not poisoned").write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Writes this thread's events of `level` and above until the guard is dropped.
pub fn listen(level: Level) -> (Lines, DefaultGuard) {
    let lines = Lines::default();
    let writer = lines.clone();
    let subscriber = tracing_subscriber::fmt()
        .json()
        .with_max_level(level)
        .with_writer(move || writer.clone())
        .finish();
    (lines, tracing::subscriber::set_default(subscriber))
}

impl Lines {
    /// As it was written.
    pub fn text(&self) -> Vec<u8> {
        self.0.lock().expect("not poisoned").clone()
    }

    pub fn all(&self) -> Vec<Line> {
        let text = self.0.lock().expect("not poisoned");
        serde_json::Deserializer::from_slice(&text)
            .into_iter()
            .map(|line| line.expect("JSON"))
            .collect()
    }

    pub fn of(&self, level: &str) -> Vec<Line> {
        let mut lines = self.all();
        lines.retain(|line| line.level == level);
        lines
    }
}

#[derive(Debug, Deserialize)]
pub struct Line {
    pub level: String,
    pub target: String,
    pub fields: Object,
    #[serde(default)]
    pub span: Value,
}

impl Line {
    pub fn message(&self) -> &str {
        self.fields.get("message").as_str().expect("a sentence")
    }
}

/// A JSON object in its written order.
#[derive(Debug)]
pub struct Object(Vec<(String, Value)>);

impl Object {
    pub fn names(&self) -> Vec<&str> {
        self.0.iter().map(|(name, _)| name.as_str()).collect()
    }

    pub fn get(&self, name: &str) -> &Value {
        let found = self.0.iter().find(|field| field.0 == name);
        &found.unwrap_or_else(|| panic!("no `{name}` in {self:?}")).1
    }
}

impl<'de> Deserialize<'de> for Object {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct InOrder;

        impl<'de> Visitor<'de> for InOrder {
            type Value = Object;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Object, A::Error> {
                let mut fields = Vec::new();
                while let Some(field) = map.next_entry()? {
                    fields.push(field);
                }
                Ok(Object(fields))
            }
        }

        deserializer.deserialize_map(InOrder)
    }
}

/// A row of the table in the documentation of `Log`.
pub struct Row {
    pub name: &'static str,
    /// The condition without which it is left out: a heap meter.
    pub metered: bool,
    pub of_grpc: bool,
    /// Whether only some verdicts have it.
    pub of_a_verdict: bool,
    /// Whether there are requests without a value.
    pub optional: bool,
    pub warn_only: bool,
    /// Whether only reports that explain something have it.
    pub of_warnings: bool,
}

impl Row {
    /// Whether it is there without a meter, whatever the request and the verdict.
    pub fn is_of_all_requests(&self) -> bool {
        !self.metered && !self.of_grpc && !self.of_a_verdict
    }
}

pub fn contract() -> Vec<Row> {
    let source = include_str!("../../src/log/mod.rs");
    let rows = source.lines().filter_map(|line| {
        let cells: Vec<_> = line.strip_prefix("/// | `")?.split('|').collect();
        Some(Row {
            name: cells[0].trim().trim_end_matches('`'),
            metered: ["no heap meter", "blocks have no owner"]
                .iter()
                .any(|unless| cells[2].contains(unless)),
            of_grpc: cells[0].contains("grpc"),
            of_a_verdict: cells[2].contains("the verdict is not"),
            optional: !cells[2].trim().is_empty(),
            of_warnings: cells[2].contains("nothing to warn about"),
            warn_only: cells[1].contains("WARN events only"),
        })
    });
    let rows: Vec<_> = rows.collect();
    assert!(rows.len() > 10, "the table is not where it was");
    rows
}
