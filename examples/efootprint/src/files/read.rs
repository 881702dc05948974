//! Reading a file: as it is, or converted first.

use std::cell::Cell;
use std::io;

use super::gather::Gathered;
use super::parse::{File, How, parse};
use super::recorder::Recorder;
use super::{upgrade::upgrade, version};
use crate::error::{DefectKind, Fault, Location, ReadError};
use crate::objects::{AnyClass, AnyObject, Model};
use crate::values::{NO_ROOM, Room};

/// Reads the one system of a file.
///
/// # Errors
///
/// The first thing wrong with the file, or that it holds several.
pub(crate) fn read<O: AnyObject>(input: impl io::Read, room: Room) -> Result<Model<O>, ReadError> {
    let mut models = read_all(input, room)?;
    match models.pop() {
        Some(model) if models.is_empty() => Ok(model),
        _ => {
            let text = format!("holds {} models, expected one", models.len() + 1);
            Err(refusal(Fault::invalid(text)))
        }
    }
}

/// Reads the inputs of the models of a file: one, or those of a workspace.
///
/// The file is streamed: results stored in it are skipped without being kept, and memory stays
/// close to the size of the model whatever the input, which may come from anyone. A file of an
/// older version is gathered first, within bounds.
///
/// # Errors
///
/// The first thing wrong with the file.
pub(crate) fn read_all<O: AnyObject>(
    mut input: impl io::Read,
    room: Room,
) -> Result<Vec<Model<O>>, ReadError> {
    let mut gathered = match read_in_one_go::<O>(&mut input, &room)? {
        Read::Whole(model) => return Ok(vec![model]),
        Read::Gathered(gathered) => gathered,
    };
    let Some(models) = gathered.models.take() else {
        return Ok(vec![convert(gathered, &room)?]);
    };
    if models.is_empty() {
        let text = "has no model in its `models`, expected one or more";
        return Err(refusal(Fault::new(DefectKind::MissingAttribute, text)));
    }
    let models = models.into_iter().enumerate().map(|(i, model)| {
        convert(model, &room).map_err(|error| match error {
            ReadError::Invalid(mut defect) => {
                defect.message = format!("Model {}: {}", i + 1, defect.message);
                ReadError::Invalid(defect)
            }
            other => other,
        })
    });
    models.collect()
}

/// What one go over a file may come to.
enum Read<O: AnyObject> {
    Whole(Model<O>),
    Gathered(Gathered<O::Class>),
}

/// Reads a file of today object by object, and gathers any other. One that doesn't begin with its
/// version is taken for one of today until it says something else; it is then read once more.
fn read_in_one_go<O: AnyObject>(
    input: &mut dyn io::Read,
    room: &Room,
) -> Result<Read<O>, ReadError> {
    let one_go = Cell::new(false);
    let mut recorder = Recorder::new(input, &one_go, room);
    let first = match parse::<O>(&mut recorder, room, &one_go, How::Stream) {
        Ok((File::Gathered(gathered), _)) => return Ok(Read::Gathered(gathered)),
        Ok((File::Streamed(draft), reading)) => {
            let versioned = one_go.get() || draft.lacks_system();
            let model = match versioned {
                true => draft.into_model(reading).map_err(ReadError::Invalid),
                false => Err(refusal(version::missing())),
            };
            return model.map(Read::Whole);
        }
        Err(error) => error,
    };
    let Some(mut again) = recorder.again() else {
        return Err(first);
    };
    let gathered = parse::<O>(&mut again, room, &one_go, How::Gather);
    match gathered {
        Ok((File::Gathered(gathered), _)) if gathered.is_other() => Ok(Read::Gathered(gathered)),
        _ => Err(first),
    }
}

fn refusal(fault: Fault) -> ReadError {
    ReadError::Invalid(Location::default().defect(fault))
}

/// Converts a file that was gathered, and reads what came out.
fn convert<O: AnyObject>(gathered: Gathered<O::Class>, room: &Room) -> Result<Model<O>, ReadError> {
    let Gathered {
        major,
        mut tree,
        unknown,
        ..
    } = gathered;
    if major.is_none() && tree.has(O::Class::ROOT.name()) {
        return Err(refusal(version::missing()));
    }
    let old = major.filter(|major| *major < version::STREAMED);
    let remarks = old.map_or_else(Vec::new, |major| upgrade(&mut tree, major));
    tree.0
        .insert(0, ("efootprint_version".into(), version::WRITTEN.into()));
    let text = serde_json::to_vec(&tree).map_err(|error| ReadError::Io(error.into()))?;
    drop(tree);
    if !(room.borrow_mut())(text.len()) {
        return Err(refusal(Fault::new(DefectKind::TooLong, NO_ROOM)));
    }
    let read = parse::<O>(&mut &text[..], room, &Cell::new(false), How::Rewritten);
    let read = read.and_then(|(file, reading)| match file {
        File::Streamed(mut draft) => {
            draft.unknown = unknown;
            draft.into_model(reading).map_err(ReadError::Invalid)
        }
        File::Gathered(_) => unreachable!("its version comes first, and is the present one"),
    });
    match (read, old) {
        (Ok(mut model), _) => {
            model.remarks = remarks;
            Ok(model)
        }
        (Err(ReadError::Invalid(mut defect)), Some(major)) => {
            defect.message += &format!(" The file is of version {major} and was converted to 27.");
            Err(ReadError::Invalid(defect))
        }
        (Err(error), _) => Err(error),
    }
}
