//! Tables of computed attributes.

/// A table of attributes of a class or family: name, unit, section, formula in words and in code.
/// A `guard` finds out whether the system needs something impossible.
macro_rules! attributes {
    ($(#[$doc:meta])* $table:ident of $class:ty {
        $($($guard:ident)? $section:literal $name:ident [$unit:expr] = $formula:literal => $compute:expr;)*
    }) => {
        $(#[$doc])*
        pub(in crate::classes) const $table:
            &[$crate::engine::Attribute<<$class as $crate::objects::Target>::Object>] = &[$(
            $crate::engine::Attribute::of(
                stringify!($name),
                $section,
                $formula,
                $crate::classes::declare::attributes!(@guard $($guard)?),
                |engine, place| {
                    let this = engine.at($crate::objects::Ref::<$class>::new(place));
                    $crate::engine::value_of(this, $compute, $unit)
                },
            ),
        )*];
    };
    (@guard) => { $crate::engine::Guard::No };
    (@guard guard) => { $crate::engine::Guard::Yes };
    (@guard only) => { $crate::engine::Guard::Only };
}

pub(in crate::classes) use attributes;
