export interface RunningProducer {
  /** Where `LoadServer.java` takes loads. */
  readonly port: number
  stop(): Promise<void>
}
export declare const startProducer: () => Promise<RunningProducer>
