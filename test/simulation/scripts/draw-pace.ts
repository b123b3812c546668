import type { Prng } from '@/demo/prng'
import { type Pace, TO_THE_END } from './script'

/** A weight in a share of the histories, and never in the others. */
export const oftenBy = (random: Prng) => (weight: number, share: number) =>
  random.next() < share ? weight : 0

/** How often something is stopped on its way, and how often one of its calls goes wrong. */
export const ROUGH = { stopped: 0.5, faulty: 0.25 }
export const CALM = { stopped: 0.15, faulty: 0.08 }

export function drawPace(random: Prng, calls: number, { stopped, faulty } = ROUGH): Pace {
  return {
    points: random.next() < stopped ? random.int(1, calls) : TO_THE_END,
    fault:
      random.next() < faulty
        ? {
            at: random.int(1, calls / 2),
            kind: random.pick([
              ['lost', 2],
              ['unsent', 1],
            ]),
          }
        : null,
  }
}
