"""An operator in kopf's idiom: each Foo gets a ConfigMap, and a daemon that ticks.

    kopf run --standalone -n NAMESPACE ticker.py
"""

import asyncio

import kopf
from kubernetes import client

FOOS = ("samplecontroller.k8s.io", "v1alpha1", "foos")


def say(what):
    print(what + "\n", end="", flush=True)  # whole, whichever thread says it


def child(body):
    config_map = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": f"{body['metadata']['name']}-child"},
        "data": {"replicas": str(body["spec"]["replicas"])},
    }
    kopf.adopt(config_map, owner=body)
    return config_map


@kopf.on.create(*FOOS)
def create(body, name, namespace, **_):
    say(f"create {name}")
    client.CoreV1Api().create_namespaced_config_map(namespace, child(body))


@kopf.on.update(*FOOS, field="spec")
def update(body, name, namespace, **_):
    say(f"update {name}")
    client.CoreV1Api().patch_namespaced_config_map(f"{name}-child", namespace, child(body))


@kopf.on.delete(*FOOS)
def delete(name, **_):
    say(f"delete {name}")


@kopf.daemon(*FOOS, cancellation_backoff=1.0, cancellation_timeout=0.5)
async def tick(name, stopped, **_):
    while not stopped:
        say(f"tick {name}")
        await asyncio.sleep(0.3)
    say(f"stop {name}")
