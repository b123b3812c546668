import { constants } from 'node:os'

/**
 * While `work` goes on, SIGINT and SIGTERM end this process only after `stop`, which ends what it has started. What
 * breaks meanwhile because of that is no news, and a second signal (Ctrl-C reaches a whole group) changes nothing.
 */
export function stopFirst<T>(stop: () => Promise<unknown>, work: () => Promise<T>): Promise<T> {
  let ending = false
  const interrupted = (signal: NodeJS.Signals) => {
    if (ending) return
    ending = true
    process.on('uncaughtException', () => {})
    void stop()
      .catch((error: unknown) => console.error(error))
      .finally(() => process.exit(128 + constants.signals[signal]))
  }
  process.on('SIGINT', interrupted).on('SIGTERM', interrupted)
  return new Promise((resolve, reject) => {
    work()
      .then(
        (result) => ending || resolve(result),
        (error: unknown) => ending || reject(error),
      )
      .finally(() => process.off('SIGINT', interrupted).off('SIGTERM', interrupted))
  })
}
