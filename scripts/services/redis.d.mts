export interface RunningRedis {
  readonly url: string
  readonly port: number
  readonly pid: number
  /** Ends the server at once; `restart` brings it back with what it held. */
  kill(): Promise<void>
  restart(): Promise<void>
  stop(): Promise<void>
}
export declare const requireRedis: () => void
export declare const startRedis: (options?: {
  readonly port?: number
  readonly settings?: readonly string[]
}) => Promise<RunningRedis>
