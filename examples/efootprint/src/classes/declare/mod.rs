//! How a class is declared: its inputs ([`class!`]), what it answers for itself ([`Answers`]), and
//! its computed attributes ([`attributes!`]). One line of the list makes it known.

mod answers;
mod attributes;
mod class;
mod family;
mod list;

pub(crate) use self::answers::{Answers, Checks, ModelOf, Tables};
pub use self::answers::{Category, Column, Phase};
pub(super) use self::attributes::attributes;
pub(super) use self::class::class;
pub(super) use self::family::family;
pub(super) use self::list::classes;
