//! What a reference may lead to.

use super::AnyObject;

/// What a reference may lead to: a class, or a family of classes.
pub trait Target: 'static {
    /// The objects among which it is looked for.
    type Object: AnyObject;

    /// The classes that a reference may name.
    const CLASSES: &'static [<Self::Object as AnyObject>::Class];

    /// What [`Model::get`](crate::Model::get) finds: the object, or a typed reference to match on.
    type Found<'m>;

    /// `None` where the object is of none of the classes.
    #[doc(hidden)]
    fn find(index: u32, object: &Self::Object) -> Option<Self::Found<'_>>;
}

/// Whether an object is of a class or family.
pub(crate) fn is_a<T: Target>(object: &T::Object) -> bool {
    T::CLASSES.contains(&object.class())
}
