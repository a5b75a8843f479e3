import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Outcome, wrong } from './report.ts'
import type { Soak } from './soak.ts'

const DISK_MB = 192
/** Room that is left beside the ballast: some batches. */
const ROOM_MB = 1
const FULL_MS = 15_000

/** A disk of its own with little room. Needs root, for the mount. */
export class SmallDisk {
  readonly root: string
  readonly #mount = mkdtempSync(join(tmpdir(), 'millrace-disk-'))

  constructor() {
    const { status, stderr } = spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${DISK_MB}m`, 'tmpfs', this.#mount], {
      encoding: 'utf8',
    })
    if (status !== 0) throw new Error(`a small disk can't be mounted (run as root): ${stderr}`)
    this.root = join(this.#mount, 'root')
    mkdirSync(this.root)
  }

  /** Leaves little room. */
  fill(): void {
    writeFileSync(join(this.#mount, 'ballast'), Buffer.alloc((DISK_MB - ROOM_MB) * 1024 * 1024))
  }

  makeRoom(): void {
    rmSync(join(this.#mount, 'ballast'), { force: true })
  }

  close(): void {
    spawnSync('umount', [this.#mount])
    rmSync(this.#mount, { recursive: true, force: true })
  }
}

/** A disk that fills up while rows land: daemons end with an error or are killed, are started again, and go on when there is room. */
export const runDiskFull = async (soak: Soak, disk: SmallDisk): Promise<Outcome> => {
  // a store is asked again for a while: for less than the disk stays full, so that the error is told
  const args = ['--trigger', '1s', '--set', 's3.retryTimeout=3s']
  const start = () => soak.daemon({ version: 1, workers: 2, args })
  disk.fill()
  let daemon = await start()
  const codes: (number | string)[] = []
  const until = performance.now() + FULL_MS
  const full = new Set<string>()
  while (performance.now() < until) {
    const ending = await Promise.race([daemon.ended, sleep(FULL_MS / 2, null)])
    if (/ENOSPC|no space left/i.test(daemon.lastWords)) full.add('told')
    if (ending === null) daemon.signal('SIGKILL')
    const { code, signal } = await daemon.end()
    codes.push(code ?? signal ?? 'none')
    daemon = await start()
  }
  disk.makeRoom()
  const roomAt = performance.now()
  const before = daemon.batches()
  while (daemon.batches() <= before) {
    const ending = await Promise.race([daemon.ended, sleep(50, null)])
    if (ending !== null) daemon = await start()
  }
  const onAfter = performance.now() - roomAt
  daemon.signal('SIGTERM')
  await daemon.end()
  const { figures, faults } = await soak.conclude()
  return {
    figures: {
      ...figures,
      'runs while the disk was full': codes.length,
      'how they ended': codes.join(', '),
      'the disk is named in the error': full.size > 0 ? 'yes' : 'no',
      'next batch after there was room, ms': Math.round(onAfter),
    },
    broken: wrong({
      ...faults,
      'runs that did not name the disk': 1 - full.size,
    }),
  }
}
