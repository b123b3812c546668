import { rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { readIfThere } from '../read-if-there'
import { commandOf } from './command-of'

const noted = z.array(z.int().positive())

/**
 * A stopped process cannot see its parent vanish, so the pids of victims are noted while they live and those that a
 * killed parent left behind are ended at the next start.
 */
export class VictimsFile {
  readonly #path: string
  readonly #pids = new Set<number>()
  #last: Promise<void> = Promise.resolve()

  constructor(dataDir: string) {
    this.#path = join(dataDir, 'victims.json')
  }

  add(pid: number): Promise<void> {
    this.#pids.add(pid)
    return this.#save()
  }

  remove(pid: number): Promise<void> {
    this.#pids.delete(pid)
    return this.#save()
  }

  /** Ends what an earlier run left. A pid that belongs to another program by now is left alone. */
  async sweep(bundle: string): Promise<number> {
    const text = (await readIfThere(this.#path)) ?? '[]'
    const parsed = noted.safeParse(safeJson(text))
    let ended = 0
    for (const pid of parsed.success ? parsed.data : []) {
      if (!(await commandOf(pid)).includes(bundle)) continue
      process.kill(pid, 'SIGKILL')
      ended += 1
    }
    await rm(this.#path, { force: true })
    return ended
  }

  #save(): Promise<void> {
    this.#last = this.#last.then(async () => {
      await writeFile(`${this.#path}.new`, JSON.stringify([...this.#pids]))
      await rename(`${this.#path}.new`, this.#path)
    })
    return this.#last
  }
}

function safeJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    // Written by something else: nothing of ours to end.
    return []
  }
}
