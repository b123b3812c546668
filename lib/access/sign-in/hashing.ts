import { hashPassword as hash, verifyPassword as verify } from 'better-auth/crypto'
import { z } from 'zod'
import { AppError } from '@/lib/core/errors'

/** One hash is some 60 ms of a core and 32 MiB: what anybody can cause is bounded, apart from what people need. */
export class Lane {
  private running = 0
  private readonly waiting: (() => void)[] = []

  constructor(
    private readonly atOnceMax: number,
    private readonly waitingMax: number,
  ) {}

  /** Throws `unavailable` when too many wait already. */
  async run<T>(work: () => Promise<T>): Promise<T> {
    if (this.running >= this.atOnceMax) {
      if (this.waiting.length >= this.waitingMax)
        throw new AppError(
          'unavailable',
          'Too many people sign in at this moment: try again in a few seconds.',
        )
      await new Promise<void>((go) => this.waiting.push(go))
    } else this.running += 1
    try {
      return await work()
    } finally {
      // Who waits takes the place over; else it is free.
      const next = this.waiting.shift()
      if (next === undefined) this.running -= 1
      else next()
    }
  }
}

/** Devices that are not known. */
export const strangers = new Lane(2, 16)
/** Sessions, invitations and devices that signed in before: a flood of strangers does not hold them up. */
export const known = new Lane(2, 64)

export const passwordSchema = z.string().min(12, 'at least 12 characters').max(128, 'at most 128 characters')

export const hashPassword = (password: string): Promise<string> => known.run(() => hash(password))

export const passwordMatches = (hashed: string, password: string): Promise<boolean> =>
  known.run(() => verify({ hash: hashed, password }))
