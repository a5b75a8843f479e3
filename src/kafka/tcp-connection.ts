import { connect as openSocket, type Socket } from 'node:net'
import { asMillraceError, MillraceError } from '../base/errors.ts'
import type { DurationMs } from '../base/units.ts'
import { checkVersions } from './broker-versions.ts'
import type { Answer, BrokerAddress, BrokerConnection, Connect } from './connection.ts'
import type { FramePool } from './frame-pool.ts'
import { API_VERSIONS, type Api, frameRequest, readResponse } from './requests.ts'

/** Bytes of a socket read that begins outside of a response. */
const SCRATCH_BYTES = 64 * 1024
/** A response that claims to be longer is not one of Kafka's. */
const MAX_FRAME_BYTES = 1024 * 1024 * 1024
const KEEP_ALIVE_MS = 30_000

export interface TcpOptions {
  readonly clientId: string
  /** For connecting and for each answer. */
  readonly requestTimeoutMs: DurationMs
  readonly frames: FramePool
}

/** Opens plain sockets. */
export const tcpConnect =
  (options: TcpOptions): Connect =>
  async to => {
    const connection = await TcpConnection.open(to, options)
    try {
      const { response } = await connection.request(API_VERSIONS, null)
      checkVersions(connection.address, response)
    } catch (error) {
      connection.close()
      throw error
    }
    return connection
  }

interface Pending {
  readonly correlationId: number
  readonly answer: (frame: Buffer) => void
  readonly fail: (error: MillraceError) => void
}

/** Frames that arrive are read straight into the memory they stay in: a response of megabytes is never copied. */
class TcpConnection implements BrokerConnection {
  readonly address: string
  readonly #options: TcpOptions
  readonly #socket: Socket
  readonly #pending: Pending[] = []
  readonly #scratch = Buffer.allocUnsafeSlow(SCRATCH_BYTES)
  readonly #lengthBytes = Buffer.alloc(4)
  #lengthFilled = 0
  #frame: Buffer | null = null
  #filled = 0
  #correlationId = 0
  #failure: MillraceError | null = null

  /** @throws BROKER_UNREACHABLE, BROKER_TIMEOUT */
  static open(to: BrokerAddress, options: TcpOptions): Promise<TcpConnection> {
    return new Promise((resolve, reject) => {
      const connection: TcpConnection = new TcpConnection(to, options, error => {
        clearTimeout(timer)
        if (error === null) resolve(connection)
        else reject(error)
      })
      const timer = setTimeout(
        () => connection.#fail(timedOut(connection.address, 'a connection', options)),
        options.requestTimeoutMs,
      )
    })
  }

  private constructor(
    { host, port }: BrokerAddress,
    options: TcpOptions,
    opened: (error: MillraceError | null) => void,
  ) {
    this.address = `${host}:${port}`
    this.#options = options
    this.#socket = openSocket({
      host,
      port,
      noDelay: true,
      keepAlive: true,
      keepAliveInitialDelay: KEEP_ALIVE_MS,
      onread: { buffer: () => this.#readInto(), callback: (bytes, into) => this.#received(bytes, into) },
    })
    this.#socket.once('connect', () => opened(null))
    this.#socket.on('error', (cause: Error) => this.#fail(unreachable(this.address, cause.message, cause)))
    this.#socket.on('close', () => this.#fail(unreachable(this.address, 'the broker closed the connection')))
    this.#onFailure = opened
  }

  #onFailure: (error: MillraceError) => void

  get open(): boolean {
    return this.#failure === null
  }

  request<Request, Response>(api: Api<Request, Response>, request: Request): Promise<Answer<Response>> {
    if (this.#failure !== null) return Promise.reject(this.#failure)
    this.#correlationId = (this.#correlationId + 1) & 0x7fffffff
    const correlationId = this.#correlationId
    return new Promise((resolve, reject) => {
      const timer = setTimeout(
        () => this.#fail(timedOut(this.address, `an answer to ${api.name}`, this.#options)),
        this.#options.requestTimeoutMs,
      )
      this.#pending.push({
        correlationId,
        answer: frame => {
          clearTimeout(timer)
          try {
            resolve({ response: readResponse(api, frame), frame })
          } catch (error) {
            reject(asMillraceError(error))
          }
        },
        fail: error => {
          clearTimeout(timer)
          reject(error)
        },
      })
      this.#socket.write(frameRequest(api, request, correlationId, this.#options.clientId))
    })
  }

  close(): void {
    this.#fail(unreachable(this.address, 'the connection was closed'))
  }

  #readInto(): Buffer {
    return this.#frame === null ? this.#scratch : this.#frame.subarray(this.#filled)
  }

  #received(bytes: number, into: Uint8Array): boolean {
    if (this.#frame === null) this.#take(this.#scratch.subarray(0, bytes))
    else this.#advance(this.#frame, bytes)
    return into.length > 0
  }

  /** Bytes that began outside of a frame: the end of a length, whole small frames, the beginning of a large one. */
  #take(bytes: Buffer): void {
    let at = 0
    while (at < bytes.length && this.#failure === null) {
      if (this.#frame === null) {
        const taken = bytes.copy(this.#lengthBytes, this.#lengthFilled, at)
        this.#lengthFilled += taken
        at += taken
        if (this.#lengthFilled === 4) this.#beginFrame(this.#lengthBytes.readInt32BE(0))
      } else {
        const taken = bytes.copy(this.#frame, this.#filled, at)
        at += taken
        this.#advance(this.#frame, taken)
      }
    }
  }

  #beginFrame(length: number): void {
    this.#lengthFilled = 0
    if (length < 4 || length > MAX_FRAME_BYTES) {
      this.#fail(notKafka(this.address, `a response of ${length} bytes`))
      return
    }
    this.#frame = this.#options.frames.take(length)
    this.#filled = 0
  }

  #advance(frame: Buffer, bytes: number): void {
    this.#filled += bytes
    if (this.#filled < frame.length) return
    this.#frame = null
    const pending = this.#pending.shift()
    if (pending === undefined || frame.readInt32BE(0) !== pending.correlationId) {
      const error = notKafka(this.address, 'a response that nobody asked for')
      pending?.fail(error)
      this.#fail(error)
      return
    }
    pending.answer(frame)
  }

  #fail(error: MillraceError): void {
    if (this.#failure !== null) return
    this.#failure = error
    this.#socket.destroy()
    this.#onFailure(error)
    for (const pending of this.#pending.splice(0)) pending.fail(error)
  }
}

const unreachable = (address: string, why: string, cause?: unknown): MillraceError =>
  new MillraceError('BROKER_UNREACHABLE', `broker ${address}: ${why}`, {
    remedy: 'Check that the broker runs and that kafka.brokers and its advertised listeners can be reached from here.',
    details: { address },
    cause,
  })

const timedOut = (address: string, what: string, { requestTimeoutMs }: TcpOptions): MillraceError =>
  new MillraceError('BROKER_TIMEOUT', `broker ${address}: waited ${requestTimeoutMs} ms for ${what}`, {
    remedy: 'Check the network and the broker; raise kafka.requestTimeout if it is only slow.',
    details: { address },
  })

const notKafka = (address: string, what: string): MillraceError =>
  new MillraceError('BROKER_ERROR', `broker ${address} sent ${what}`, {
    remedy: 'Check that the address is a Kafka listener without TLS or SASL.',
    details: { address },
  })
