import java.io.BufferedInputStream;
import java.io.DataInputStream;
import java.io.EOFException;
import java.util.Properties;
import java.util.concurrent.atomic.AtomicReference;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/**
 * Loads a topic from standard input. Each frame begins with a byte: 'R' a record (partition, timestamp, key, value, headers), 'B', 'C',
 * 'A' begin, commit and abort a transaction, 'F' flush. Integers are big-endian; a length of -1 is null.
 * Arguments: bootstrap servers, topic, then producer settings as name=value.
 */
public final class LoadProducer {
  public static void main(String[] args) throws Exception {
    Properties settings = new Properties();
    settings.put("bootstrap.servers", args[0]);
    settings.put("acks", "all");
    settings.put("linger.ms", "50");
    settings.put("buffer.memory", "134217728");
    settings.put("max.request.size", "20971520");
    for (int at = 2; at < args.length; at++) {
      int equals = args[at].indexOf('=');
      settings.put(args[at].substring(0, equals), args[at].substring(equals + 1));
    }
    AtomicReference<Exception> failure = new AtomicReference<>();
    long records = 0;
    try (KafkaProducer<byte[], byte[]> producer =
            new KafkaProducer<>(settings, new ByteArraySerializer(), new ByteArraySerializer());
        DataInputStream in = new DataInputStream(new BufferedInputStream(System.in, 1 << 20))) {
      if (settings.containsKey("transactional.id")) producer.initTransactions();
      for (int kind = in.read(); kind >= 0; kind = in.read()) {
        switch (kind) {
          case 'R' -> {
            int partition = in.readInt();
            long timestamp = in.readLong();
            byte[] key = bytes(in);
            byte[] value = bytes(in);
            RecordHeaders headers = new RecordHeaders();
            for (int left = in.readInt(); left > 0; left--) headers.add(new String(bytes(in), "UTF-8"), bytes(in));
            ProducerRecord<byte[], byte[]> record =
                new ProducerRecord<>(args[1], partition, timestamp < 0 ? null : timestamp, key, value, headers);
            producer.send(record, (done, error) -> { if (error != null) failure.compareAndSet(null, error); });
            records++;
          }
          case 'B' -> producer.beginTransaction();
          case 'C' -> producer.commitTransaction();
          case 'A' -> { producer.flush(); producer.abortTransaction(); }
          case 'F' -> producer.flush();
          default -> throw new IllegalArgumentException("unknown frame " + kind);
        }
        if (failure.get() != null) throw failure.get();
      }
    } catch (EOFException cutOff) {
      throw new IllegalStateException("the input ends within a record", cutOff);
    }
    if (failure.get() != null) throw failure.get();
    System.out.println(records);
  }

  private static byte[] bytes(DataInputStream in) throws Exception {
    int length = in.readInt();
    if (length < 0) return null;
    byte[] bytes = new byte[length];
    in.readFully(bytes);
    return bytes;
  }
}
