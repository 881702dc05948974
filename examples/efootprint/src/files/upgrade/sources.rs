//! 20 → 21: sources are entries of the file, where they stood in values.

use std::collections::HashMap;

use super::super::tree::{Json, Map};
use super::told::Told;

/// Name and link.
type Key = (Box<str>, Option<Box<str>>);

/// Gathers the sources of all values, each once.
pub(super) fn gather(file: &mut Map, _: &mut Told) {
    let mut gathered = Gathered::default();
    for (class, block) in &mut file.0 {
        if &**class != "Sources" {
            gathered.walk(block);
        }
    }
    if gathered.entries.is_empty() {
        return;
    }
    if let Some(sources) = file.map_at("Sources") {
        sources.0.extend(gathered.entries);
    }
}

#[derive(Default)]
struct Gathered {
    ids: HashMap<Key, Box<str>>,
    entries: Vec<(Box<str>, Json)>,
}

impl Gathered {
    fn walk(&mut self, value: &mut Json) {
        match value {
            Json::List(list) => list.iter_mut().for_each(|value| self.walk(value)),
            Json::Map(map) => {
                for (key, value) in &mut map.0 {
                    match value {
                        Json::Map(source)
                            if &**key == "source" && source.text("name").is_some() =>
                        {
                            *value = Json::Text(self.id_of(source));
                        }
                        value => self.walk(value),
                    }
                }
            }
            _ => {}
        }
    }

    fn id_of(&mut self, source: &Map) -> Box<str> {
        let name = source.text("name").unwrap_or_default();
        let link = source.text("link").filter(|link| !link.is_empty());
        match (name, link) {
            ("user data", None) => return "user_data".into(),
            ("e-footprint hypothesis", None) => return "hypothesis".into(),
            _ => {}
        }
        let key = (name.into(), link.map(Into::into));
        let next = self.entries.len() + 1;
        let entries = &mut self.entries;
        let id = self.ids.entry(key).or_insert_with(|| {
            let id: Box<str> = format!("source-{next}").into();
            let entry = Json::from([
                ("id", Json::from(&*id)),
                ("name", name.into()),
                ("link", link.map_or(Json::Null, Json::from)),
            ]);
            entries.push((id.clone(), entry));
            id
        });
        id.clone()
    }
}
