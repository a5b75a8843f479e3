import { readFileSync } from 'node:fs'
import { MillraceError } from '../../base/errors.ts'
import { KernelMemory, LastingBlock, reserveMemory } from './kernel-memory.ts'

/** Where a numeric column of a batch lies, and the group of each of its rows. */
export type GroupedColumnPlace = readonly [
  values: number,
  validity: number,
  selection: number,
  groupOf: number,
  rows: number,
]

/** What `assembly/index.ts` exports; addresses and lengths are numbers of bytes. Its doc comments are the contract. */
export interface KernelFunctions {
  firstFree(): number
  jsonDecoderBytes(leaves: number, nodes: number, pathBytes: number): number
  makeJsonDecoder(at: number, leaves: number, firstWins: number, maxRecordBytes: number): void
  jsonLeaves(at: number): number
  jsonRoot(at: number): number
  addJsonStep(at: number, node: number, start: number, end: number, leaf: number): number
  endJsonPath(at: number, node: number, leaf: number): void
  decodeJson(
    at: number,
    arena: number,
    starts: number,
    lengths: number,
    count: number,
    recordOf: number,
    bad: number,
    scratch: number,
  ): number
  badRecords(bad: number): number
  assignGroups(table: number, keys: number, row: number, rows: number, groupOf: number): number
  packWords(values: number, words: number, selection: number, rows: number, to: number, stride: number): void
  packNulls(validity: number, words: number, selection: number, rows: number, to: number, stride: number): void
  countRows(counts: number, validity: number, selection: number, groupOf: number, rows: number): void
  sumDoubles(sums: number, seen: number, kind: number, ...column: GroupedColumnPlace): void
  sumIntegers(sums: number, seen: number, kind: number, ...column: GroupedColumnPlace): number
  extremeDoubles(extremes: number, seen: number, direction: number, kind: number, ...column: GroupedColumnPlace): void
  extremeLongs(extremes: number, seen: number, direction: number, ...column: GroupedColumnPlace): void
  lz4Block(at: number, end: number, outStart: number, outEnd: number, lowest: number): number
  snappyBlock(at: number, end: number, out: number, outEnd: number): number
  indexRecords(
    arena: number,
    start: number,
    stop: number,
    count: number,
    baseOffset: number,
    lastOffsetDelta: number,
    baseTimestamp: number,
    appendTime: number,
    from: number,
    until: number,
    indexAt: number,
    row: number,
  ): number
  prefixTexts(offsets: number, bytes: number, count: number, out: number): number
  packNumbers(numbers: number, count: number, width: number, out: number): number
  textExtremes(offsets: number, bytes: number, count: number, answer: number): void
  numberTexts(at: number, offsets: number, bytes: number, row: number, count: number, numbers: number): number
  numberWords(at: number, values: number, width: number, row: number, count: number, numbers: number): number
  rehash(at: number): void
  snappyCompress(start: number, end: number, out: number, table: number): number
}

/** The kernels of one thread, and the memory that they work in. */
export interface KernelInstance {
  readonly memory: KernelMemory
  readonly functions: KernelFunctions
  /** Where the columns of the batch decoded last lie. */
  readonly decoded: LastingBlock
  /** Decoders that hold memory, the oldest first. */
  readonly holders: MemoryHolder[]
}

/** Something that keeps a block of the memory for later, and can do without. */
export interface MemoryHolder {
  forget(): void
}

/** How many may keep a block: the oldest is made to forget where there are more. */
const MAX_HOLDERS = 32

/** Lets `holder` keep a block from now on. */
export const hold = ({ holders }: KernelInstance, holder: MemoryHolder): void => {
  holders.push(holder)
  if (holders.length > MAX_HOLDERS) holders.shift()?.forget()
}

const latin1 = new TextDecoder('latin1')

/** Instantiates the compiled kernels over memory of their own. @throws KERNELS_NOT_LOADABLE */
export const instantiateKernels = (memoryBytes: number): KernelInstance => {
  try {
    const module = new WebAssembly.Module(readFileSync(kernelsFile()))
    const wasmMemory = reserveMemory(memoryBytes)
    const bytes = new Uint8Array(wasmMemory.buffer)
    const { exports } = new WebAssembly.Instance(module, {
      env: { memory: wasmMemory },
      'json-numbers': {
        parseDouble: (start: number, end: number) => Number(latin1.decode(bytes.subarray(start, end))),
      },
    })
    const functions = exports as KernelFunctions
    const memory = new KernelMemory(wasmMemory, functions.firstFree())
    return { memory, functions, decoded: new LastingBlock(memory), holders: [] }
  } catch (cause) {
    throw new MillraceError('KERNELS_NOT_LOADABLE', `the WebAssembly kernels can't be loaded: ${String(cause)}`, {
      remedy: 'Build or install the package anew; kernels: typescript goes on without them, at a third of the speed.',
      cause,
    })
  }
}

/** The module lies beside the compiled code; run from sources, the built one is taken. */
const kernelsFile = (): URL =>
  import.meta.url.endsWith('.ts')
    ? new URL('../../../dist/columnar/wasm/kernels.wasm', import.meta.url)
    : new URL('./kernels.wasm', import.meta.url)
