//! Holds what its watch tells, and writes it to a file whenever it has changed.
//!
//!     watcher GROUP/VERSION/KIND/PLURAL FILE [streaming]
//!
//! The file is a JSON object: "uid resourceVersion" by "namespace/name". It is there
//! once the first LIST is. `streaming` asks for the initial events in the watch.

use std::{collections::BTreeMap, error::Error, time::Duration};

use futures::StreamExt;
use kube::{
    Api, Client, ResourceExt,
    api::{ApiResource, DynamicObject, GroupVersionKind},
    runtime::{WatchStreamExt, reflector, watcher},
};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [what, path, options @ ..] = &args[..] else {
        return Err("watcher GROUP/VERSION/KIND/PLURAL FILE [streaming]".into());
    };
    let parts: Vec<&str> = what.split('/').collect();
    let [group, version, kind, plural] = parts[..] else {
        return Err(format!("{what}: not GROUP/VERSION/KIND/PLURAL").into());
    };
    let kind = GroupVersionKind::gvk(group, version, kind);
    let resource = ApiResource::from_gvk_with_plural(&kind, plural);
    let api: Api<DynamicObject> = Api::all_with(Client::try_default().await?, &resource);

    let mut config = watcher::Config::default();
    if options.iter().any(|option| option == "streaming") {
        config = config.streaming_lists();
    }
    let writer = reflector::store::Writer::new(resource);
    let store = writer.as_reader();
    tokio::spawn(async move {
        watcher(api, config)
            .default_backoff()
            .reflect(writer)
            .for_each(async |event| {
                if let Err(error) = event {
                    eprintln!("{error}");
                }
            })
            .await;
    });
    store.wait_until_ready().await?;

    let mut written = None;
    loop {
        let held: BTreeMap<String, String> = store.state().iter().map(|o| entry(o)).collect();
        if written.as_ref() != Some(&held) {
            let new = format!("{path}.new");
            std::fs::write(&new, serde_json::to_vec(&held)?)?;
            std::fs::rename(&new, path)?;
            written = Some(held);
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

fn entry(object: &DynamicObject) -> (String, String) {
    let key = format!("{}/{}", object.namespace().unwrap_or_default(), object.name_any());
    let version = object.resource_version().unwrap_or_default();
    (key, format!("{} {version}", object.uid().unwrap_or_default()))
}
