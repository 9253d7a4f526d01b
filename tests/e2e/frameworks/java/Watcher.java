import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientBuilder;
import io.fabric8.kubernetes.client.informers.SharedIndexInformer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Map;
import java.util.TreeMap;

/**
 * Holds what an informer of fabric8 is told, and writes it to a file whenever it has
 * changed.
 *
 *     Watcher GROUP/VERSION KIND FILE
 *
 * The file is a JSON object: "uid resourceVersion" by "namespace/name". It is there once
 * the informer has synced.
 */
public class Watcher {
    public static void main(String[] args) throws Exception {
        Path file = Path.of(args[2]);
        String before = null;
        try (KubernetesClient client = new KubernetesClientBuilder().build();
             SharedIndexInformer<? extends HasMetadata> informer =
                 client.genericKubernetesResources(args[0], args[1]).inAnyNamespace().inform()) {
            while (true) {
                String now = informer.hasSynced() ? text(held(informer)) : before;
                if (now != null && !now.equals(before)) {
                    Path next = file.resolveSibling(file.getFileName() + ".next");
                    Files.writeString(next, now);
                    Files.move(next, file, StandardCopyOption.ATOMIC_MOVE);
                }
                before = now;
                Thread.sleep(50);
            }
        }
    }

    private static Map<String, String> held(SharedIndexInformer<? extends HasMetadata> informer) {
        Map<String, String> held = new TreeMap<>();
        for (HasMetadata object : informer.getStore().list()) {
            var metadata = object.getMetadata();
            held.put(metadata.getNamespace() + "/" + metadata.getName(),
                metadata.getUid() + " " + metadata.getResourceVersion());
        }
        return held;
    }

    /** Of names, uids and versions, in which there is nothing to escape. */
    private static String text(Map<String, String> held) {
        StringBuilder out = new StringBuilder();
        held.forEach((name, value) ->
            out.append(out.length() == 0 ? "" : ",").append('"').append(name).append("\":\"").append(value).append('"'));
        return "{" + out + "}";
    }
}
