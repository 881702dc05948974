//! Families of classes.

/// Declares a family: classes that a reference may lead to alike.
macro_rules! family {
    ($(#[$doc:meta])* $family:ident { $first:ident $(, $class:ident)* $(,)? }) => {
        $crate::classes::declare::family!(@ $(#[$doc])* $family { $first $first $($class)* });
    };
    (@ $(#[$doc:meta])* $family:ident { $first:ident $($class:ident)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        #[allow(missing_docs)]
        pub enum $family {
            $($class($crate::objects::Ref<$class>)),*
        }

        $(impl From<$crate::objects::Ref<$class>> for $crate::objects::Ref<$family> {
            fn from(object: $crate::objects::Ref<$class>) -> Self {
                Self::new(object.index() as u32)
            }
        })*

        impl $crate::objects::Target for $family {
            type Object = <$first as $crate::objects::Target>::Object;

            const CLASSES: &'static [<Self::Object as $crate::objects::AnyObject>::Class] =
                &[$(<$class as $crate::objects::Target>::CLASSES[0]),*];

            type Found<'m> = Self;

            fn find(index: u32, object: &Self::Object) -> Option<Self> {
                $(if <$class as $crate::objects::Target>::find(index, object).is_some() {
                    return Some(Self::$class($crate::objects::Ref::new(index)));
                })*
                None
            }
        }
    };
}

pub(in crate::classes) use family;
