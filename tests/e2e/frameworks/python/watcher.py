"""Holds what its watches tell, and writes it to a file whenever it has changed.

    watcher.py deployments|GROUP/VERSION/PLURAL FILE

The file is a JSON object: "uid resourceVersion" by "namespace/name". It is there
once the first LIST is.
"""

import json
import os
import sys
import threading
import time

from kubernetes import client, config, watch
from kubernetes.informer import SharedInformer


class Deployments:
    """The client's own informer, of a type that it knows."""

    def __init__(self):
        api = client.AppsV1Api()
        self.informer = SharedInformer(api.list_deployment_for_all_namespaces)
        self.informer.start()

    def held(self):
        if self.informer._resource_version is None:  # it has no word for "synced"
            return None
        return {
            f"{o.metadata.namespace}/{o.metadata.name}":
                f"{o.metadata.uid} {o.metadata.resource_version}"
            for o in self.informer.cache.list()
        }


class Custom:
    """LIST, then WATCH from there, as the client's examples do for custom objects."""

    def __init__(self, group, version, plural):
        self.of = dict(group=group, version=version, plural=plural)
        self.api = client.CustomObjectsApi()
        self.lock = threading.Lock()
        self.objects = None
        threading.Thread(target=self.follow, daemon=True).start()

    def follow(self):
        while True:
            try:
                self.list_then_watch()
            except Exception as error:  # 410 in the stream, a cut, 503: list anew
                print(f"{self.of['plural']}: {error}", file=sys.stderr, flush=True)
                time.sleep(0.2)

    def list_then_watch(self):
        items = self.api.list_cluster_custom_object(**self.of)
        with self.lock:
            self.objects = dict(map(entry, items["items"]))
        version = items["metadata"]["resourceVersion"]
        stream = watch.Watch().stream(
            self.api.list_cluster_custom_object,
            **self.of,
            resource_version=version,
            allow_watch_bookmarks=True,
        )
        for event in stream:
            if event["type"] == "BOOKMARK":
                continue
            key, text = entry(event["object"])
            with self.lock:
                if event["type"] == "DELETED":
                    self.objects.pop(key, None)
                else:
                    self.objects[key] = text

    def held(self):
        with self.lock:
            return None if self.objects is None else dict(self.objects)


def entry(item):
    meta = item["metadata"]
    return f"{meta['namespace']}/{meta['name']}", f"{meta['uid']} {meta['resourceVersion']}"


def main():
    what, path = sys.argv[1:]
    config.load_kube_config()
    source = Deployments() if what == "deployments" else Custom(*what.split("/"))
    written = None
    while True:
        held = source.held()
        if held is not None and held != written:
            with open(path + ".new", "w") as file:
                json.dump(held, file)
            os.rename(path + ".new", path)
            written = held
        time.sleep(0.1)


main()
