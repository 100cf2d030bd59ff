// A subscriber in Java: acts on each signal of Bellwether once. Usage: java -cp 'LIBRARIES/*' Subscribe.java BROKERS TOPIC GROUP HANDLED_FILE
// Needs kafka-clients and jackson-databind. Start as many with one GROUP as the topic has partitions; each with its own HANDLED_FILE.
import com.fasterxml.jackson.databind.*;
import java.nio.file.*;
import java.time.Duration;
import java.util.*;
import org.apache.kafka.clients.consumer.*;
import org.apache.kafka.common.serialization.StringDeserializer;

public class Subscribe {
    public static void main(String[] args) throws Exception {
        Map<String, Object> settings = Map.of(
            "bootstrap.servers", args[0],
            "group.id", args[2],
            "isolation.level", "read_committed", // what was aborted never happened
            "auto.offset.reset", "earliest",
            "enable.auto.commit", "false"); // commit what was handled, not what was read
        Path file = Path.of(args[3]);
        // A record may come again after a crash. In earnest, keep the id as a unique key in the database that the work changes.
        Set<String> handled = new HashSet<>(Files.exists(file) ? Files.readAllLines(file) : List.of());
        ObjectMapper json = new ObjectMapper();
        try (var consumer = new KafkaConsumer<>(settings, new StringDeserializer(), new StringDeserializer())) {
            consumer.subscribe(List.of(args[1]));
            while (true) {
                for (ConsumerRecord<String, String> record : consumer.poll(Duration.ofSeconds(1))) {
                    String id = header(record, "ce_id");
                    if (!handled.add(id)) continue;
                    JsonNode signal = json.readTree(record.value());
                    // The work: `ce_type` tells what happened to the episode, `data` why. Ignore fields that you do not know.
                    System.out.println(String.join(" ", id, header(record, "ce_type"), record.key(), signal.get("rule").asText(), signal.get("severity").asText()));
                    Files.writeString(file, id + "\n", StandardOpenOption.CREATE, StandardOpenOption.APPEND);
                }
                consumer.commitSync();
            }
        }
    }
    static String header(ConsumerRecord<?, ?> record, String name) { return new String(record.headers().lastHeader(name).value()); }
}
