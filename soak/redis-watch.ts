import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import type { CrashPoint } from './crash-points.ts'
import type { Fate } from './trap.ts'

/** Stands between one driver and Redis: c10 is an answer that a step of the view was applied, before the driver has it. */
export class RedisWatch {
  readonly #port: number
  readonly #at: (point: CrashPoint | null) => Promise<Fate>
  readonly #sockets = new Set<Socket>()
  readonly #server = createServer(socket => this.#pass(socket))

  constructor(port: number, at: (point: CrashPoint | null) => Promise<Fate>) {
    this.#port = port
    this.#at = at
  }

  /** Answers the address. */
  async listen(): Promise<string> {
    await new Promise<void>(resolve => this.#server.listen(0, '127.0.0.1', resolve))
    return `redis://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  close(): void {
    this.#server.close()
    for (const socket of this.#sockets) socket.destroy()
  }

  #pass(socket: Socket): void {
    const onward = connect({ host: '127.0.0.1', port: this.#port })
    for (const [one, other] of [[socket, onward] as const, [onward, socket] as const]) {
      this.#sockets.add(one)
      one.on('error', () => other.destroy())
      one.on('close', () => {
        this.#sockets.delete(one)
        other.destroy()
      })
    }
    socket.pipe(onward)
    let earlier = Promise.resolve()
    onward.on('data', (bytes: Buffer) => {
      earlier = earlier.then(() => this.#answer(socket, bytes))
    })
  }

  async #answer(socket: Socket, bytes: Buffer): Promise<void> {
    const fate = await this.#at(bytes.includes('applied') ? 'c10' : null)
    if (fate === 'go') socket.write(bytes)
  }
}
