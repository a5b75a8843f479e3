// Small things that every service script needs: a free port, waiting for an answer, ending a process.
import { connect, createServer } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'

/** @returns {Promise<number>} a port of the loopback interface that nobody listens at */
export const freePort = () =>
  new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address()
      server.close(() => resolve(port))
    })
  })

/** Whether something listens at a port of the loopback interface. */
export const answers = port =>
  new Promise(resolve => {
    const socket = connect({ host: '127.0.0.1', port })
    socket.once('connect', () => socket.end(() => resolve(true)))
    socket.once('error', () => resolve(false))
  })

/** Waits until a process listens at its port; `false` where it ended or took too long. */
export const listens = async (child, port, timeoutMs) => {
  const deadline = Date.now() + timeoutMs
  while (!(await answers(port))) {
    if (child.exitCode !== null || child.signalCode !== null || Date.now() > deadline) return false
    await sleep(50)
  }
  return true
}

/** Ends a process that was started here: asks first, and after `patienceMs` does not. */
export const end = async (child, patienceMs) => {
  if (child.exitCode !== null || child.signalCode !== null) return
  const gone = new Promise(resolve => child.once('exit', resolve))
  child.kill('SIGTERM')
  const timer = setTimeout(() => child.kill('SIGKILL'), patienceMs)
  await gone
  clearTimeout(timer)
}

/** Ends a process no later than this one, also where this one gives up before the other is of use. */
export const endWithThisProcess = child => {
  const kill = () => child.kill('SIGKILL')
  process.once('exit', kill)
  child.once('exit', () => process.off('exit', kill))
}
