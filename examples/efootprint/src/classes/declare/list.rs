//! The list of classes.

/// Makes the list of classes: their names, objects of any of them, and what each answers. The first
/// is the one that a file has at least one object of.
macro_rules! classes {
    ($root_module:ident::$root:ident $(, $module:ident::$class:ident)* $(,)?) => {
        $crate::classes::declare::classes!(
            @ $root; $root_module::$root $($module::$class)*
        );
    };
    (@ $root:ident; $($module:ident::$class:ident)*) => {
        $(pub use super::$module::$class;)*

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

            /// What its objects are counted under, if they have a footprint of their own.
            pub fn category(self) -> Option<Category> {
                match self {
                    $(Self::$class => <$class as Answers>::CATEGORY),*
                }
            }

            /// The column of the diagram that its objects stand in, on the way to what has a
            /// footprint.
            pub fn column(self) -> Option<Column> {
                match self {
                    $(Self::$class => <$class as Answers>::COLUMN),*
                }
            }

            /// Checks all its objects together.
            fn check(self, model: &Model) -> Result<(), (&Object, AttributeFault)> {
                match self {
                    $(Self::$class => (<$class as Answers>::CHECKS.all)(model)),*
                }
            }
        }

        impl std::fmt::Display for Class {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.name())
            }
        }

        impl AnyClass for Class {
            const ALL: &'static [Self] = Self::ALL;

            const ROOT: Self = Self::$root;

            fn name(self) -> &'static str {
                self.name()
            }

            fn from_name(name: &str) -> Option<Self> {
                Self::from_name(name)
            }

            fn inputs(self) -> &'static [&'static str] {
                match self {
                    $(Self::$class => <$class>::INPUTS),*
                }
            }
        }

        /// An object of any class.
        #[derive(Debug, PartialEq)]
        #[allow(missing_docs)]
        pub enum Object {
            $($class(Box<$class>)),*
        }

        $(impl Target for $class {
            type Object = Object;

            const CLASSES: &'static [Class] = &[Class::$class];

            type Found<'m> = &'m Self;

            fn find(_: u32, object: &Object) -> Option<&Self> {
                match object {
                    Object::$class(object) => Some(object),
                    _ => None,
                }
            }
        })*

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

            fn check_each(&self, model: &Model) -> Result<(), AttributeFault> {
                match self {
                    $(Self::$class(object) => (<$class as Answers>::CHECKS.each)(object, model)),*
                }
            }
        }

        impl AnyObject for Object {
            type Class = Class;

            fn class(&self) -> Class {
                self.class()
            }

            fn id(&self) -> &str {
                self.id()
            }

            fn name(&self) -> &str {
                self.name()
            }

            fn read<'de, M: serde::de::MapAccess<'de>>(
                class: Class,
                id: std::sync::Arc<str>,
                json: M,
                reading: &mut ObjectReading<Class>,
            ) -> Result<Self, M::Error> {
                Ok(match class {
                    $(Class::$class => Self::$class(Box::new($class::read(id, json, reading)?))),*
                })
            }

            fn link(&mut self, ids: &Ids<Class>) -> Result<(), AttributeFault> {
                match self {
                    $(Self::$class(object) => object.link(ids)),*
                }
            }

            fn write<M: serde::ser::SerializeMap>(
                &self,
                model: &Model,
                json: &mut M,
            ) -> Result<(), M::Error> {
                match self {
                    $(Self::$class(object) => object.write(model, json)),*
                }
            }

            fn references(&self, visit: &mut dyn FnMut(u32)) {
                match self {
                    $(Self::$class(object) => object.references(visit)),*
                }
            }

            fn heap(&self) -> usize {
                match self {
                    $(Self::$class(object) => {
                        $crate::bytes::block(size_of::<$class>()) + object.heap()
                    })*
                }
            }

            fn hours(&self) -> usize {
                match self {
                    $(Self::$class(object) => object.hours()),*
                }
            }

            fn check(model: &Model) -> Result<(), (&Self, AttributeFault)> {
                let objects = &model.objects;
                objects.iter().try_for_each(|object| {
                    object.check_each(model).map_err(|fault| (object, fault))
                })?;
                Class::ALL.iter().try_for_each(|class| class.check(model))
            }
        }

        impl Computed for Object {
            fn attributes(class: Class) -> &'static [&'static [Attribute<Self>]] {
                match class {
                    $(Class::$class => <$class as Answers>::TABLES),*
                }
            }
        }
    };
}

pub(in crate::classes) use classes;
