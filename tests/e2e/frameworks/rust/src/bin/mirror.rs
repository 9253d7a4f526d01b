//! A controller by kube-rs: for each Foo a ConfigMap of its name that says how many
//! replicas it asks for, and the same in its status.
//!
//!     mirror MILLISECONDS     how long a reconcile takes

use std::{error::Error, sync::Arc, time::Duration};

use futures::StreamExt;
use k8s_openapi::api::core::v1::ConfigMap;
use kube::{
    Api, Client, Resource, ResourceExt,
    api::{ApiResource, DynamicObject, GroupVersionKind, Patch, PatchParams},
    runtime::{controller::Action, controller::Controller, watcher},
};
use serde_json::json;

struct Context {
    client: Client,
    foo: ApiResource,
    takes: Duration,
}

async fn reconcile(foo: Arc<DynamicObject>, context: Arc<Context>) -> Result<Action, kube::Error> {
    let name = foo.name_any();
    let namespace = foo.namespace().unwrap_or_default();
    let replicas = foo.data["spec"]["replicas"].as_i64().unwrap_or_default();
    tokio::time::sleep(context.takes).await;
    let child = json!({
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {
            "name": name,
            "ownerReferences": [foo.controller_owner_ref(&context.foo)],
        },
        "data": {"replicas": replicas.to_string()},
    });
    Api::<ConfigMap>::namespaced(context.client.clone(), &namespace)
        .patch(&name, &PatchParams::apply("mirror").force(), &Patch::Apply(&child))
        .await?;
    let status = json!({"status": {"availableReplicas": replicas}});
    Api::<DynamicObject>::namespaced_with(context.client.clone(), &namespace, &context.foo)
        .patch_status(&name, &PatchParams::default(), &Patch::Merge(&status))
        .await?;
    Ok(Action::await_change())
}

fn on_error(_: Arc<DynamicObject>, error: &kube::Error, _: Arc<Context>) -> Action {
    eprintln!("{error}");
    Action::requeue(Duration::from_millis(500))
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let takes: u64 = std::env::args().nth(1).ok_or("mirror MILLISECONDS")?.parse()?;
    let client = Client::try_default().await?;
    let kind = GroupVersionKind::gvk("samplecontroller.k8s.io", "v1alpha1", "Foo");
    let foo = ApiResource::from_gvk_with_plural(&kind, "foos");
    let context = Context {
        client: client.clone(),
        foo: foo.clone(),
        takes: Duration::from_millis(takes),
    };
    let foos = Api::<DynamicObject>::all_with(client.clone(), &foo);
    Controller::new_with(foos, watcher::Config::default(), foo)
        .owns(Api::<ConfigMap>::all(client), watcher::Config::default())
        .run(reconcile, on_error, Arc::new(context))
        .for_each(async |result| {
            if let Err(error) = result {
                eprintln!("{error}");
            }
        })
        .await;
    Ok(())
}
