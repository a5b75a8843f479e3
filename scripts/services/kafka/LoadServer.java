import java.io.BufferedInputStream;
import java.io.DataInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.Properties;
import java.util.concurrent.atomic.AtomicReference;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/**
 * Loads topics, one for each connection to the port of the loopback interface that it prints; ends with its standard input.
 * A load begins with bootstrap servers, topic, the number of producer settings and each one's name and value. Each frame after that
 * begins with a byte: 'R' a record (partition, timestamp, key, value, headers), 'B', 'C', 'A' begin, commit and abort a
 * transaction, 'F' flush. Integers are big-endian, texts and bytes follow their length; a length of -1 is null.
 * The answer is the number of records, or a text why they could not be written.
 */
public final class LoadServer {
  public static void main(String[] args) throws Exception {
    ServerSocket server = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
    System.out.println(server.getLocalPort());
    new Thread(() -> acceptAll(server)).start();
    while (System.in.read() >= 0);
    System.exit(0);
  }

  private static void acceptAll(ServerSocket server) {
    try {
      while (true) {
        Socket socket = server.accept();
        new Thread(() -> serve(socket)).start();
      }
    } catch (IOException closed) {
      throw new IllegalStateException(closed);
    }
  }

  private static void serve(Socket socket) {
    try (socket) {
      DataInputStream in = new DataInputStream(new BufferedInputStream(socket.getInputStream(), 1 << 20));
      String answer;
      try {
        answer = String.valueOf(load(in));
      } catch (Exception failure) {
        answer = failure.toString();
      }
      socket.getOutputStream().write(answer.getBytes(StandardCharsets.UTF_8));
      socket.shutdownOutput();
      // what is left unread would reset the connection before the answer has arrived
      while (in.read() >= 0);
    } catch (IOException gone) {
      System.err.println(gone);
    }
  }

  private static long load(DataInputStream in) throws Exception {
    Properties settings = new Properties();
    settings.put("bootstrap.servers", text(in));
    settings.put("acks", "all");
    settings.put("linger.ms", "50");
    settings.put("buffer.memory", "134217728");
    settings.put("max.request.size", "20971520");
    // with more, a partition that its broker has not opened yet may refuse the first batch and take the second: no retry
    // of the first can succeed after that, it fails two minutes later (KAFKA-15591)
    settings.put("max.in.flight.requests.per.connection", "1");
    String topic = text(in);
    for (int left = in.readInt(); left > 0; left--) settings.put(text(in), text(in));
    AtomicReference<Exception> failure = new AtomicReference<>();
    long records = 0;
    try (KafkaProducer<byte[], byte[]> producer =
        new KafkaProducer<>(settings, new ByteArraySerializer(), new ByteArraySerializer())) {
      if (settings.containsKey("transactional.id")) producer.initTransactions();
      for (int kind = in.read(); kind >= 0; kind = in.read()) {
        switch (kind) {
          case 'R' -> {
            producer.send(record(topic, in), (done, error) -> { if (error != null) failure.compareAndSet(null, error); });
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
    return records;
  }

  private static ProducerRecord<byte[], byte[]> record(String topic, DataInputStream in) throws IOException {
    int partition = in.readInt();
    long timestamp = in.readLong();
    byte[] key = bytes(in);
    byte[] value = bytes(in);
    RecordHeaders headers = new RecordHeaders();
    for (int left = in.readInt(); left > 0; left--) headers.add(text(in), bytes(in));
    return new ProducerRecord<>(topic, partition, timestamp < 0 ? null : timestamp, key, value, headers);
  }

  private static String text(DataInputStream in) throws IOException {
    return new String(bytes(in), StandardCharsets.UTF_8);
  }

  private static byte[] bytes(DataInputStream in) throws IOException {
    int length = in.readInt();
    if (length < 0) return null;
    byte[] bytes = new byte[length];
    in.readFully(bytes);
    return bytes;
  }
}
