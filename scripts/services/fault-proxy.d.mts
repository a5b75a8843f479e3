export type Fault = 'none' | 'slowDown' | 'full' | 'overQuota' | 'lost' | 'reset' | 'hang'
export interface FaultProxy {
  readonly endpoint: string
  /** How many calls met each fault. */
  readonly counts: ReadonlyMap<Fault, number>
  stop(): Promise<void>
}
export declare const startFaultProxy: (options: {
  readonly target: string
  readonly fault: (call: { readonly method: string; readonly url: string }) => Fault
}) => Promise<FaultProxy>
