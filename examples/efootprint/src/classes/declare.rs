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
            pub(crate) fn read<'de, M: serde::de::MapAccess<'de>>(
                id: std::sync::Arc<str>,
                mut json: M,
                reading: &mut $crate::values::reading::Reading,
            ) -> Result<Self, M::Error> {
                #[allow(unused_imports)]
                use $crate::objects::input::{read_attribute, required};

                let mut header = $crate::objects::input::Header::default();
                $(let mut $name: Option<$kind> = None;)*
                while let Some(key) = json.next_key()? {
                    let key = reading.renamed(key);
                    match key.as_str() {
                        $(stringify!($name) => read_attribute(stringify!($name), &mut $name, &mut json, reading)?,)*
                        _ => header.read(&key, &mut json, reading)?,
                    }
                }
                let (id, name) = header.finish(id, reading)?;
                $(let $name = $crate::classes::declare::class!(@else $name, reading $(, $absent)?);)*
                Ok(Self { id, name, $($name),* })
            }

            #[allow(unused_variables)]
            pub(crate) fn link(
                &mut self,
                ids: &$crate::objects::ids::Ids,
            ) -> Result<(), (&'static str, $crate::error::Fault)> {
                $($crate::objects::input::Attribute::link(&mut self.$name, ids)
                    .map_err(|fault| (stringify!($name), fault))?;)*
                Ok(())
            }

            #[allow(unused_variables)]
            pub(crate) fn write<M: serde::ser::SerializeMap>(
                &self,
                model: &$crate::Model,
                json: &mut M,
            ) -> Result<(), M::Error> {
                $(if $crate::objects::input::Attribute::is_present(&self.$name) {
                    json.serialize_entry(stringify!($name), &$crate::objects::input::Written(&self.$name, model))?;
                })*
                Ok(())
            }

            #[allow(unused_variables)]
            pub(crate) fn references(&self, visit: &mut dyn FnMut(u32)) {
                $($crate::objects::input::Attribute::references(&self.$name, visit);)*
            }

            pub(crate) fn heap(&self) -> usize {
                $crate::bytes::share(&self.id)
                    + $crate::bytes::text(&self.name)
                    $(+ $crate::objects::input::Attribute::heap(&self.$name))*
            }
        }

        impl $crate::objects::input::Target for $class {
            const CLASSES: &'static [$crate::classes::Class] = &[$crate::classes::Class::$class];

            type Found<'m> = &'m Self;

            fn find(_: u32, object: &$crate::classes::Object) -> Option<&Self> {
                match object {
                    $crate::classes::Object::$class(object) => Some(object),
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
            $($class($crate::objects::references::Ref<$class>)),*
        }

        $(impl From<$crate::objects::references::Ref<$class>> for $crate::objects::references::Ref<$family> {
            fn from(object: $crate::objects::references::Ref<$class>) -> Self {
                Self::new(object.index() as u32)
            }
        })*

        impl $crate::objects::input::Target for $family {
            const CLASSES: &'static [$crate::classes::Class] =
                &[$($crate::classes::Class::$class),*];

            type Found<'m> = Self;

            fn find(index: u32, object: &$crate::classes::Object) -> Option<Self> {
                match object {
                    $($crate::classes::Object::$class(_) =>
                        Some(Self::$class($crate::objects::references::Ref::new(index))),)*
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
            pub(crate) fn attributes(self) -> &'static [&'static [crate::engine::Attribute]] {
                match self {
                    $(Self::$class => <$class as crate::engine::Computed>::ATTRIBUTES),*
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

            pub(crate) fn read<'de, M: serde::de::MapAccess<'de>>(
                class: Class,
                id: std::sync::Arc<str>,
                json: M,
                reading: &mut crate::values::reading::Reading,
            ) -> Result<Self, M::Error> {
                Ok(match class {
                    $(Class::$class => Self::$class(Box::new($class::read(id, json, reading)?))),*
                })
            }

            pub(crate) fn link(
                &mut self,
                ids: &crate::objects::ids::Ids,
            ) -> Result<(), (&'static str, crate::error::Fault)> {
                match self {
                    $(Self::$class(object) => object.link(ids)),*
                }
            }

            pub(crate) fn write<M: serde::ser::SerializeMap>(
                &self,
                model: &crate::Model,
                json: &mut M,
            ) -> Result<(), M::Error> {
                match self {
                    $(Self::$class(object) => object.write(model, json)),*
                }
            }

            pub(crate) fn references(&self, visit: &mut dyn FnMut(u32)) {
                match self {
                    $(Self::$class(object) => object.references(visit)),*
                }
            }

            pub(crate) fn heap(&self) -> usize {
                match self {
                    $(Self::$class(object) => {
                        $crate::bytes::block(size_of::<$class>()) + object.heap()
                    })*
                }
            }
        }
    };
}

pub(super) use {class, classes, family};
