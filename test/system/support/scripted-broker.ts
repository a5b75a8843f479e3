import { type AddressInfo, createServer, type Socket } from 'node:net'
import { onTestFinished } from 'vitest'

/** Stored bytes, and the offsets that the broker finds them under; it believes nothing that is in them. */
export interface Stored {
  readonly from: number
  readonly until: number
  readonly bytes: Buffer
}

/** A broker that leads one topic of one partition and serves bytes as they are, also those that no real broker would store. */
export interface ScriptedBroker {
  readonly address: string
  readonly topic: string
  log: readonly Stored[]
  /** What becomes of an answer to a fetch on its way, its length before it included. */
  onTheWay: (answer: Buffer) => Buffer
}

const TOPIC = 'scripted'
const API = {
  produce: 0,
  fetch: 1,
  listOffsets: 2,
  metadata: 3,
  offsetCommit: 8,
  findCoordinator: 10,
  apiVersions: 18,
  initProducerId: 22,
} as const
const EARLIEST = -2

/** The parts of Kafka's encoding, written independently of what reads them. */
const int = (bytes: 1 | 2 | 4, value: number): Buffer => {
  const out = Buffer.alloc(bytes)
  out.writeIntBE(value, 0, bytes)
  return out
}
const int64 = (value: number): Buffer => {
  const out = Buffer.alloc(8)
  out.writeBigInt64BE(BigInt(value))
  return out
}
const varint = (value: number): Buffer =>
  value < 128 ? Buffer.of(value) : Buffer.concat([Buffer.of((value & 127) | 128), varint(value >>> 7)])
const blob = (bytes: Buffer): Buffer => Buffer.concat([varint(bytes.length + 1), bytes])
const text = (value: string): Buffer => blob(Buffer.from(value))
const list = (...items: readonly Buffer[]): Buffer => Buffer.concat([varint(items.length + 1), ...items])
const struct = (...fields: readonly Buffer[]): Buffer => Buffer.concat([...fields, NO_TAGS])
const NO_TAGS = Buffer.of(0)
const ID = Buffer.alloc(16, 7)
const NONE = int(4, -1)

/** Starts one; it is gone after the test. */
export const startScriptedBroker = async (log: readonly Stored[]): Promise<ScriptedBroker> => {
  const sockets = new Set<Socket>()
  const server = createServer(socket => {
    sockets.add(socket.on('error', () => undefined))
    eachRequest(socket, request => socket.write(answerTo(request, broker)))
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const broker: ScriptedBroker = { address: `127.0.0.1:${port}`, topic: TOPIC, log, onTheWay: answer => answer }
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return broker
}

const eachRequest = (socket: Socket, take: (request: Buffer) => void): void => {
  let waiting = Buffer.alloc(0)
  socket.on('data', (bytes: Buffer) => {
    waiting = Buffer.concat([waiting, bytes])
    while (waiting.length >= 4 && waiting.length >= 4 + waiting.readInt32BE(0)) {
      const end = 4 + waiting.readInt32BE(0)
      take(waiting.subarray(4, end))
      waiting = waiting.subarray(end)
    }
  })
}

const answerTo = (request: Buffer, broker: ScriptedBroker): Buffer => {
  const [key, correlationId] = [request.readInt16BE(0), request.readInt32BE(4)]
  const body = request.subarray(8 + 2 + request.readInt16BE(8) + 1)
  const framed = (...parts: readonly Buffer[]): Buffer => {
    const answer = Buffer.concat([int(4, correlationId), ...parts])
    return Buffer.concat([int(4, answer.length), answer])
  }
  switch (key) {
    case API.apiVersions: {
      const ranges = Object.values(API).map(each => Buffer.concat([int(2, each), int(2, 0), int(2, 99)]))
      return framed(int(2, 0), int(4, ranges.length), ...ranges)
    }
    case API.metadata:
      return framed(NO_TAGS, metadata(broker))
    case API.listOffsets:
      return framed(NO_TAGS, listOffsets(body, broker))
    case API.fetch:
      return broker.onTheWay(framed(NO_TAGS, fetch(body, broker)))
    case API.findCoordinator:
      return framed(NO_TAGS, findCoordinator(broker))
    case API.offsetCommit:
      return framed(NO_TAGS, offsetCommit())
    default:
      throw new TypeError(`request ${key} is not in the script`)
  }
}

const nodeOf = ({ address }: ScriptedBroker): readonly Buffer[] => {
  const [host = '', port = ''] = address.split(':')
  return [int(4, 1), text(host), int(4, Number(port))]
}

const findCoordinator = (broker: ScriptedBroker): Buffer =>
  struct(int(4, 0), list(struct(text('group'), ...nodeOf(broker), int(2, 0), varint(0))))

const offsetCommit = (): Buffer => struct(int(4, 0), list(struct(text(TOPIC), list(struct(int(4, 0), int(2, 0))))))

const metadata = (broker: ScriptedBroker): Buffer => {
  const one = struct(...nodeOf(broker), varint(0))
  const replicas = [list(int(4, 1)), list(int(4, 1)), list()]
  const partition = struct(int(2, 0), int(4, 0), int(4, 1), int(4, 0), ...replicas)
  const topic = struct(int(2, 0), text(TOPIC), ID, int(1, 0), list(partition), NONE)
  return struct(int(4, 0), list(one), varint(0), int(4, 1), list(topic))
}

const endOf = ({ log }: ScriptedBroker): number => log.at(-1)?.until ?? 0
const startOf = ({ log }: ScriptedBroker): number => log[0]?.from ?? 0

const listOffsets = (body: Buffer, broker: ScriptedBroker): Buffer => {
  // replica, isolation, one topic, its name, one partition, its number, its epoch
  const timestamp = Number(body.readBigInt64BE(4 + 1 + 1 + 1 + TOPIC.length + 1 + 4 + 4))
  const offset = timestamp === EARLIEST ? startOf(broker) : endOf(broker)
  const partition = struct(int(4, 0), int(2, 0), int64(-1), int64(offset), int(4, 0))
  return struct(int(4, 0), list(struct(text(TOPIC), list(partition))))
}

const OFFSET_OUT_OF_RANGE = 1

const fetch = (body: Buffer, broker: ScriptedBroker): Buffer => {
  // replica, wait, least, most, isolation, session, its epoch, one topic, its id, one partition, its number, its epoch
  const offset = Number(body.readBigInt64BE(4 * 4 + 1 + 4 * 2 + 1 + 16 + 1 + 4 + 4))
  const [start, end] = [startOf(broker), endOf(broker)]
  const code = offset < start || offset > end ? OFFSET_OUT_OF_RANGE : 0
  const records = Buffer.concat(broker.log.filter(({ until }) => until > offset).map(({ bytes }) => bytes))
  const ends = [int64(end), int64(end), int64(start)]
  const partition = struct(int(4, 0), int(2, code), ...ends, list(), NONE, blob(code === 0 ? records : Buffer.alloc(0)))
  return struct(int(4, 0), int(2, 0), int(4, 0), list(struct(ID, list(partition))))
}
