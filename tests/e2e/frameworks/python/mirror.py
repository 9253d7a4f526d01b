"""A controller by kopf: for each Foo a ConfigMap of its name that says how many
replicas it asks for, and the same in its status. kopf run mirror.py; how long a handler
takes is in TAKES, in seconds.
"""

import os
import time

import kopf
import kubernetes

GROUP, VERSION = "samplecontroller.k8s.io", "v1alpha1"


@kopf.on.startup()
def configure(settings, **_):
    kubernetes.config.load_kube_config()
    settings.posting.enabled = False


@kopf.on.resume(GROUP, VERSION, "foos", backoff=1)
@kopf.on.create(GROUP, VERSION, "foos", backoff=1)
@kopf.on.update(GROUP, VERSION, "foos", field="spec", backoff=1)
def mirror(name, namespace, body, spec, patch, **_):
    time.sleep(float(os.environ["TAKES"]))
    core = kubernetes.client.CoreV1Api()
    child = {
        "metadata": {"name": name, "namespace": namespace},
        "data": {"replicas": str(spec["replicas"])},
    }
    kopf.append_owner_reference(child, owner=body)
    try:
        core.patch_namespaced_config_map(name, namespace, child)
    except kubernetes.client.ApiException as error:
        if error.status != 404:
            raise
        core.create_namespaced_config_map(namespace, child)
    patch.status["availableReplicas"] = spec["replicas"]
