//! Keys of a file that are no class.

use crate::error::quoted;
use crate::objects::AnyClass;

/// Keys of objects that are no class, for hints: those most like one.
pub(super) struct UnknownClasses<C> {
    kept: Vec<(f64, C, String)>,
    compared: usize,
}

impl<C> Default for UnknownClasses<C> {
    fn default() -> Self {
        Self {
            kept: Vec::new(),
            compared: 0,
        }
    }
}

impl<C: AnyClass> UnknownClasses<C> {
    /// Most keys that are kept, and the longest, in bytes.
    const MOST: usize = 3;
    const LONGEST: usize = 64;

    /// Most keys that are compared: a file may consist of nothing else.
    const MOST_COMPARED: usize = 1000;

    pub(super) fn add(&mut self, key: String) {
        if key.len() > Self::LONGEST || self.compared == Self::MOST_COMPARED {
            return;
        }
        self.compared += 1;
        let alike = C::ALL
            .iter()
            .map(|&class| (strsim::jaro_winkler(&key, class.name()), class));
        if let Some((likeness, class)) = alike.max_by(|(a, _), (b, _)| a.total_cmp(b)) {
            self.kept.push((likeness, class, key));
            self.kept.sort_by(|(a, ..), (b, ..)| b.total_cmp(a));
            self.kept.truncate(Self::MOST);
        }
    }

    /// What may have made objects go missing: a misspelt class is no error in this format, its
    /// objects are just ignored.
    pub(super) fn hint(&self) -> String {
        let mut hint = String::new();
        for (likeness, class, key) in &self.kept {
            hint += &format!("; the file has an unknown class {}", quoted(key));
            if *likeness > 0.9 {
                hint += &format!(", did you mean `{class}`?");
            }
        }
        hint
    }
}
