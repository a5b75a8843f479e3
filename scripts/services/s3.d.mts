export interface RunningS3 {
  readonly endpoint: string
  readonly region: string
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly pid: number
  restart(): Promise<void>
  stop(): Promise<void>
}
export declare const startS3: (options?: {
  readonly port?: number
  readonly buckets?: readonly string[]
  /** A folder of the caller's for what it stores. */
  readonly data?: string
}) => Promise<RunningS3>
