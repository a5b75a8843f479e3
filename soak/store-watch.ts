import { Agent, createServer, type IncomingMessage, request, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { BatchFollower, type CrashPoint, type StoreStep, storeStep } from './crash-points.ts'
import type { Fate } from './trap.ts'

/** What the way to the store is like: each call is asked for anew. */
export type Weather = () => 'fine' | 'slow' | 'down' | 'refused' | 'lost'

const SLOW_MS = 150
const SLOW_DOWN = '<?xml version="1.0" encoding="UTF-8"?><Error><Code>SlowDown</Code><Message>slower</Message></Error>'

export interface StoreWatchOptions {
  readonly target: string
  /** Told of each crash point; the call waits for the answer. */
  readonly at: (point: CrashPoint | null) => Promise<Fate>
  /** Which point is waited for: calls that would pass it together pass one by one. */
  readonly awaited: () => CrashPoint | null
  readonly committed: () => void
  readonly weather: Weather
}

/**
 * Stands between one driver and its store, and follows its calls. The Host header is passed on as it came, so that signatures
 * stay valid.
 */
export class StoreWatch {
  readonly #options: StoreWatchOptions
  readonly #follower = new BatchFollower()
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 64 })
  readonly #server = createServer((incoming, outgoing) => {
    this.#pass(incoming, outgoing).catch(() => incoming.socket.destroy())
  })
  /** The first of several calls of a kind: the others wait until it is done. */
  #first: { readonly step: StoreStep; readonly done: Promise<void> } | null = null

  constructor(options: StoreWatchOptions) {
    this.#options = options
  }

  /** Answers the endpoint. */
  async listen(): Promise<string> {
    await new Promise<void>(resolve => this.#server.listen(0, '127.0.0.1', resolve))
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  close(): void {
    this.#server.close()
    this.#server.closeAllConnections()
    this.#agent.destroy()
  }

  async #pass(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const { method = '', url = '' } = incoming
    const step = storeStep(method, url)
    incoming.on('error', () => undefined)
    const weather = this.#options.weather()
    if (weather === 'down') return void incoming.socket.destroy()
    if (weather === 'refused') {
      incoming.resume()
      incoming.on('end', () => outgoing.writeHead(503, { 'content-type': 'application/xml' }).end(SLOW_DOWN))
      return
    }
    if (weather === 'slow') await sleep(SLOW_MS)
    if ((await this.#options.at(this.#follower.arrived(step))) === 'drop') return
    const release = await this.#oneByOne(step)
    try {
      await this.#forward(incoming, outgoing, step, weather === 'lost')
    } finally {
      release()
    }
  }

  /** Where a half is waited for, the first call goes alone. */
  async #oneByOne(step: StoreStep): Promise<() => void> {
    const awaited = this.#options.awaited()
    const half = (step === 'part' && awaited === 'c5') || (step === 'complete' && awaited === 'c8')
    if (!half) return () => undefined
    if (this.#first?.step === step) {
      await this.#first.done
      return () => undefined
    }
    let release: () => void = () => undefined
    const done = new Promise<void>(resolve => (release = resolve))
    this.#first = { step, done }
    return () => {
      this.#first = null
      release()
    }
  }

  async #forward(incoming: IncomingMessage, outgoing: ServerResponse, step: StoreStep, lost: boolean): Promise<void> {
    const { hostname, port } = new URL(this.#options.target)
    const { method, url: path, headers } = incoming
    const answer = await new Promise<IncomingMessage>((resolve, reject) => {
      const onward = request({ hostname, port, method, path, headers, agent: this.#agent }, resolve)
      onward.on('error', reject)
      incoming.pipe(onward)
    })
    const ok = (answer.statusCode ?? 500) < 300
    if (ok && step === 'commit') this.#options.committed()
    const fate = ok ? await this.#options.at(this.#follower.done(step)) : 'go'
    if (fate === 'drop' || lost) {
      answer.resume()
      incoming.socket.destroy()
      return
    }
    outgoing.writeHead(answer.statusCode ?? 500, answer.rawHeaders)
    answer.pipe(outgoing)
  }
}
