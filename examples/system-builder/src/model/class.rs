//! How classes are declared: a block for each class, and one list of them all.

/// Declares a class: its attributes in the order they are written, each with its kind, and where a
/// file may lack one, what it then is.
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
                use $crate::model::attribute::{read_attribute, required};

                let mut header = $crate::model::attribute::Header::default();
                $(let mut $name: Option<$kind> = None;)*
                while let Some(key) = json.next_key()? {
                    let key = reading.renamed(key);
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
                ids: &$crate::model::ids::Ids,
            ) -> Result<(), (&'static str, $crate::model::error::Fault)> {
                $($crate::model::attribute::Attribute::link(&mut self.$name, ids)
                    .map_err(|fault| (stringify!($name), fault))?;)*
                Ok(())
            }

            #[allow(unused_variables)]
            pub(in crate::model) fn write<M: serde::ser::SerializeMap>(
                &self,
                model: &$crate::model::Model,
                json: &mut M,
            ) -> Result<(), M::Error> {
                $(if $crate::model::attribute::Attribute::is_present(&self.$name) {
                    json.serialize_entry(stringify!($name), &$crate::model::attribute::Written(&self.$name, model))?;
                })*
                Ok(())
            }

            #[allow(unused_variables)]
            pub(in crate::model) fn references(&self, visit: &mut dyn FnMut(u32)) {
                $($crate::model::attribute::Attribute::references(&self.$name, visit);)*
            }

            pub(in crate::model) fn heap(&self) -> usize {
                $crate::model::size::share(&self.id)
                    + $crate::model::size::text(&self.name)
                    $(+ $crate::model::attribute::Attribute::heap(&self.$name))*
            }
        }

        impl $crate::model::attribute::Target for $class {
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

        $(impl From<$crate::model::relations::Ref<$class>> for $crate::model::relations::Ref<$family> {
            fn from(object: $crate::model::relations::Ref<$class>) -> Self {
                Self::new(object.index() as u32)
            }
        })*

        impl $crate::model::attribute::Target for $family {
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

            /// Its computed attributes.
            pub(in crate::model) fn attributes(self) -> &'static [&'static [crate::model::compute::Attribute]] {
                match self {
                    $(Self::$class => <$class as crate::model::compute::Computed>::ATTRIBUTES),*
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
                ids: &crate::model::ids::Ids,
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

            pub(in crate::model) fn references(&self, visit: &mut dyn FnMut(u32)) {
                match self {
                    $(Self::$class(object) => object.references(visit)),*
                }
            }

            pub(in crate::model) fn heap(&self) -> usize {
                match self {
                    $(Self::$class(object) => {
                        $crate::model::size::block(size_of::<$class>()) + object.heap()
                    })*
                }
            }
        }
    };
}

pub(super) use {class, classes, family};
