//! The inputs of a class.

/// Declares a class: its inputs in the order they are written, each with its kind, and where a
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
                #[doc = concat!("The input `", stringify!($name), "`.")]
                pub $name: $kind,
            )*
        }

        const _: () = {
            use $crate::objects::{AnyObject, AttributeFault, Ids, Model, ObjectReading, Target};

            type Object = <$class as Target>::Object;
            type Class = <Object as AnyObject>::Class;

            impl $class {
                /// The names of its inputs.
                pub(in crate::classes) const INPUTS: &'static [&'static str] =
                    &[$(stringify!($name)),*];

                pub(in crate::classes) fn read<'de, M: serde::de::MapAccess<'de>>(
                    id: std::sync::Arc<str>,
                    mut json: M,
                    reading: &mut ObjectReading<Class>,
                ) -> Result<Self, M::Error> {
                    #[allow(unused_imports)]
                    use $crate::objects::input::{Header, read_attribute, required};

                    let mut header = Header::default();
                    $(let mut $name: Option<$kind> = None;)*
                    while let Some(key) = json.next_key::<String>()? {
                        match key.as_str() {
                            $(stringify!($name) => read_attribute::<Object, _, _>(
                                stringify!($name), &mut $name, &mut json, reading,
                            )?,)*
                            _ => header.read::<Object, _>(&key, &mut json, reading)?,
                        }
                    }
                    let (id, name) = header.finish(id, reading)?;
                    $(let $name = $crate::classes::declare::class!(@else $name, reading $(, $absent)?);)*
                    Ok(Self { id, name, $($name),* })
                }

                #[allow(unused_variables)]
                pub(in crate::classes) fn link(&mut self, ids: &Ids<Class>) -> Result<(), AttributeFault> {
                    $(<$kind as $crate::objects::Input<Object>>::link(&mut self.$name, ids)
                        .map_err(|fault| (stringify!($name), fault))?;)*
                    Ok(())
                }

                #[allow(unused_variables)]
                pub(in crate::classes) fn write<M: serde::ser::SerializeMap>(
                    &self,
                    model: &Model<Object>,
                    json: &mut M,
                ) -> Result<(), M::Error> {
                    $(if <$kind as $crate::objects::Input<Object>>::is_present(&self.$name) {
                        let value = $crate::objects::input::WithModel(&self.$name, model);
                        json.serialize_entry(stringify!($name), &value)?;
                    })*
                    Ok(())
                }

                #[allow(unused_variables)]
                pub(in crate::classes) fn references(&self, visit: &mut dyn FnMut(u32)) {
                    $(<$kind as $crate::objects::Input<Object>>::references(&self.$name, visit);)*
                }

                pub(in crate::classes) fn heap(&self) -> usize {
                    $crate::bytes::share(&self.id)
                        + $crate::bytes::text(&self.name)
                        $(+ <$kind as $crate::objects::Input<Object>>::heap(&self.$name))*
                }

                pub(in crate::classes) fn hours(&self) -> usize {
                    0_usize$(.max(<$kind as $crate::objects::Input<Object>>::hours(&self.$name)))*
                }
            }
        };
    };
    (@else $name:ident, $reading:ident) => { required(stringify!($name), $name, $reading)? };
    (@else $name:ident, $reading:ident, $absent:expr) => { $name.unwrap_or_else(|| $absent) };
}

pub(in crate::classes) use class;
