export declare const kafkaClassPath: () => string
export interface RunningKafka {
  readonly brokers: string
  readonly pid: number
  readonly folder: string
  stop(): Promise<void>
  restart(): Promise<void>
}
export declare const startKafka: (options?: { readonly port?: number }) => Promise<RunningKafka>
