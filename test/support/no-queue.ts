import type { Queue } from '@/lib/queue'

/** For tests whose subject is not the queue: a run's row is the truth, its job only a nudge. */
export const noQueue: Queue = {
  get boss(): never {
    throw new Error('this test has no queue')
  },
  enqueueRun: () => Promise.resolve(),
}
