//! How classes are declared: [`class!`], [`family!`] and [`classes!`].

use std::sync::Arc;

use serde::de::{Deserialize, DeserializeSeed, Deserializer, MapAccess};
use serde::ser::{Serialize, Serializer};

use super::Model;
use super::classes::{Class, Object};
use super::error::{DefectKind, Fault, quoted};
use super::reading::Reading;
use super::relations::Ids;

/// A kind of attribute: how it is read, linked to other objects, and written back.
pub(super) trait Attribute: Sized {
    fn read<'de, D: Deserializer<'de>>(json: D, reading: &mut Reading) -> Result<Self, D::Error>;

    /// Turns ids into objects, once all are known.
    fn link(&mut self, _ids: &Ids) -> Result<(), Fault> {
        Ok(())
    }

    fn write<S: Serializer>(&self, model: &Model, json: S) -> Result<S::Ok, S::Error>;

    /// Whether the attribute appears in a written file.
    fn is_present(&self) -> bool {
        true
    }
}

/// An attribute that may be absent. It then stays absent.
impl<A: Attribute> Attribute for Option<A> {
    fn read<'de, D: Deserializer<'de>>(json: D, reading: &mut Reading) -> Result<Self, D::Error> {
        A::read(json, reading).map(Some)
    }

    fn link(&mut self, ids: &Ids) -> Result<(), Fault> {
        self.as_mut()
            .map_or(Ok(()), |attribute| attribute.link(ids))
    }

    fn write<S: Serializer>(&self, model: &Model, json: S) -> Result<S::Ok, S::Error> {
        match self {
            Some(attribute) => attribute.write(model, json),
            None => json.serialize_none(),
        }
    }

    fn is_present(&self) -> bool {
        self.is_some()
    }
}

/// What a reference may lead to: a class, or a family of classes.
pub trait Target {
    /// The classes that a reference may name.
    const CLASSES: &'static [Class];

    /// What [`Model::get`] finds: the object, or a typed reference to match on.
    type Found<'m>;

    /// `None` where the object is of none of the classes.
    #[doc(hidden)]
    fn find(index: u32, object: &Object) -> Option<Self::Found<'_>>;
}

/// The reader of one attribute, for `next_value_seed`.
pub(super) struct AttributeSeed<'r, A> {
    reading: &'r mut Reading,
    attribute: std::marker::PhantomData<A>,
}

impl<'de, A: Attribute> DeserializeSeed<'de> for AttributeSeed<'_, A> {
    type Value = A;

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<A, D::Error> {
        A::read(json, self.reading)
    }
}

/// An attribute with the model that knows the ids it refers to.
pub(super) struct Written<'m, A>(pub(super) &'m A, pub(super) &'m Model);

impl<A: Attribute> Serialize for Written<'_, A> {
    fn serialize<S: Serializer>(&self, json: S) -> Result<S::Ok, S::Error> {
        self.0.write(self.1, json)
    }
}

/// Reads the value of the present key into `slot`.
pub(super) fn read_attribute<'de, A: Attribute, M: MapAccess<'de>>(
    name: &'static str,
    slot: &mut Option<A>,
    json: &mut M,
    reading: &mut Reading,
) -> Result<(), M::Error> {
    reading.place.attribute = Some(name);
    if slot.is_some() {
        return Err(reading.refuse(Fault::invalid("appears twice; keep one")));
    }
    *slot = Some(json.next_value_seed(AttributeSeed {
        reading,
        attribute: std::marker::PhantomData,
    })?);
    reading.place.attribute = None;
    Ok(())
}

/// The value read for an attribute that every object of the class has.
pub(super) fn required<A, E: serde::de::Error>(
    name: &'static str,
    value: Option<A>,
    reading: &mut Reading,
) -> Result<A, E> {
    value.ok_or_else(|| {
        reading.place.attribute = Some(name);
        reading.refuse(Fault::new(
            DefectKind::MissingAttribute,
            "is missing; every object of the class has it",
        ))
    })
}

/// The `id` and `name` that every object has.
#[derive(Default)]
pub(super) struct Header {
    id: Option<String>,
    name: Option<String>,
}

impl Header {
    /// Takes one of its two attributes, and skips what the class does not declare, unread.
    pub(super) fn read<'de, M: MapAccess<'de>>(
        &mut self,
        key: &str,
        json: &mut M,
        reading: &mut Reading,
    ) -> Result<(), M::Error> {
        let (name, slot) = match key {
            "id" => ("id", &mut self.id),
            "name" => ("name", &mut self.name),
            _ => return json.next_value::<serde::de::IgnoredAny>().map(drop),
        };
        reading.place.attribute = Some(name);
        *slot = Some(json.next_value()?);
        reading.place.attribute = None;
        Ok(())
    }

    /// Id and name, the id being the one the object is filed under.
    pub(super) fn finish<E: serde::de::Error>(
        self,
        filed_under: Arc<str>,
        reading: &mut Reading,
    ) -> Result<(Arc<str>, Box<str>), E> {
        let id = required("id", self.id, reading)?;
        if *id != *filed_under {
            reading.place.attribute = Some("id");
            let text = format!(
                "is {}, but the object is filed under {}",
                quoted(&id),
                quoted(&filed_under)
            );
            return Err(reading.refuse(Fault::new(
                DefectKind::IdMismatch,
                text + "; make them the same",
            )));
        }
        let name = required("name", self.name, reading)?;
        Ok((filed_under, name.into()))
    }
}

/// A plain text.
impl Attribute for Box<str> {
    fn read<'de, D: Deserializer<'de>>(json: D, _: &mut Reading) -> Result<Self, D::Error> {
        Self::deserialize(json)
    }

    fn write<S: Serializer>(&self, _: &Model, json: S) -> Result<S::Ok, S::Error> {
        json.serialize_str(self)
    }
}

/// Declares a class: its attributes in the order they are written, each with its kind, and where a file may lack one,
/// what it then is.
macro_rules! class {
    ($(#[$doc:meta])* $class:ident { $($name:ident: $kind:ty $(= $absent:expr)?),* $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, PartialEq)]
        pub struct $class {
            /// The id, unique over all classes.
            pub id: std::sync::Arc<str>,
            /// The name people see.
            pub name: Box<str>,
            $(
                #[doc = concat!("The attribute `", stringify!($name), "`.")]
                pub $name: $kind,
            )*
        }

        impl $class {
            pub(in crate::model) fn read<'de, M: serde::de::MapAccess<'de>>(
                id: std::sync::Arc<str>,
                mut json: M,
                reading: &mut $crate::model::reading::Reading,
            ) -> Result<Self, M::Error> {
                #[allow(unused_imports)]
                use $crate::model::class::{read_attribute, required};

                let mut header = $crate::model::class::Header::default();
                $(let mut $name: Option<$kind> = None;)*
                while let Some(key) = json.next_key::<String>()? {
                    match key.as_str() {
                        $(stringify!($name) => read_attribute(stringify!($name), &mut $name, &mut json, reading)?,)*
                        _ => header.read(&key, &mut json, reading)?,
                    }
                }
                let (id, name) = header.finish(id, reading)?;
                $(let $name = $crate::model::class::class!(@else $name, reading $(, $absent)?);)*
                Ok(Self { id, name, $($name),* })
            }

            #[allow(unused_variables)]
            pub(in crate::model) fn link(
                &mut self,
                ids: &$crate::model::relations::Ids,
            ) -> Result<(), (&'static str, $crate::model::error::Fault)> {
                $($crate::model::class::Attribute::link(&mut self.$name, ids)
                    .map_err(|fault| (stringify!($name), fault))?;)*
                Ok(())
            }

            #[allow(unused_variables)]
            pub(in crate::model) fn write<M: serde::ser::SerializeMap>(
                &self,
                model: &$crate::model::Model,
                json: &mut M,
            ) -> Result<(), M::Error> {
                $(if $crate::model::class::Attribute::is_present(&self.$name) {
                    json.serialize_entry(stringify!($name), &$crate::model::class::Written(&self.$name, model))?;
                })*
                Ok(())
            }
        }

        impl $crate::model::class::Target for $class {
            const CLASSES: &'static [$crate::model::classes::Class] = &[$crate::model::classes::Class::$class];

            type Found<'m> = &'m Self;

            fn find(_: u32, object: &$crate::model::classes::Object) -> Option<&Self> {
                match object {
                    $crate::model::classes::Object::$class(object) => Some(object),
                    _ => None,
                }
            }
        }
    };
    (@else $name:ident, $reading:ident) => { required(stringify!($name), $name, $reading)? };
    (@else $name:ident, $reading:ident, $absent:expr) => { $name.unwrap_or_else(|| $absent) };
}

/// Declares a family: classes that a reference may lead to alike.
macro_rules! family {
    ($(#[$doc:meta])* $family:ident { $($class:ident),* $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        #[allow(missing_docs)]
        pub enum $family {
            $($class($crate::model::relations::Ref<$class>)),*
        }

        impl $crate::model::class::Target for $family {
            const CLASSES: &'static [$crate::model::classes::Class] =
                &[$($crate::model::classes::Class::$class),*];

            type Found<'m> = Self;

            fn find(index: u32, object: &$crate::model::classes::Object) -> Option<Self> {
                match object {
                    $($crate::model::classes::Object::$class(_) =>
                        Some(Self::$class($crate::model::relations::Ref::new(index))),)*
                    _ => None,
                }
            }
        }
    };
}

/// Makes the list of classes: their names, and objects of any of them.
macro_rules! classes {
    ($($class:ident),* $(,)?) => {
        /// A class of objects, named as in files.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        #[allow(missing_docs)]
        pub enum Class {
            $($class),*
        }

        impl Class {
            /// Every class.
            pub const ALL: &'static [Self] = &[$(Self::$class),*];

            /// The key of the class in a file.
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$class => stringify!($class)),*
                }
            }

            /// The class of that key.
            pub fn from_name(name: &str) -> Option<Self> {
                match name {
                    $(stringify!($class) => Some(Self::$class),)*
                    _ => None,
                }
            }
        }

        /// An object of any class.
        #[derive(Debug, PartialEq)]
        #[allow(missing_docs)]
        pub enum Object {
            $($class(Box<$class>)),*
        }

        impl Object {
            /// The object's class.
            pub fn class(&self) -> Class {
                match self {
                    $(Self::$class(_) => Class::$class),*
                }
            }

            /// The object's id.
            pub fn id(&self) -> &str {
                match self {
                    $(Self::$class(object) => &object.id),*
                }
            }

            /// The object's name.
            pub fn name(&self) -> &str {
                match self {
                    $(Self::$class(object) => &object.name),*
                }
            }

            pub(in crate::model) fn read<'de, M: serde::de::MapAccess<'de>>(
                class: Class,
                id: std::sync::Arc<str>,
                json: M,
                reading: &mut crate::model::reading::Reading,
            ) -> Result<Self, M::Error> {
                Ok(match class {
                    $(Class::$class => Self::$class(Box::new($class::read(id, json, reading)?))),*
                })
            }

            pub(in crate::model) fn link(
                &mut self,
                ids: &crate::model::relations::Ids,
            ) -> Result<(), (&'static str, crate::model::error::Fault)> {
                match self {
                    $(Self::$class(object) => object.link(ids)),*
                }
            }

            pub(in crate::model) fn write<M: serde::ser::SerializeMap>(
                &self,
                model: &crate::model::Model,
                json: &mut M,
            ) -> Result<(), M::Error> {
                match self {
                    $(Self::$class(object) => object.write(model, json)),*
                }
            }
        }
    };
}

pub(super) use {class, classes, family};
