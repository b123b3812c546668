const pollMs = 250

/** Resolves some time after a URL first answers 200; never when the time is 0. */
export async function untilReadyPlus(url: string, durationS: number, signal: AbortSignal): Promise<void> {
  while (!signal.aborted && !(await isReady(url))) await pause(pollMs, signal)
  if (durationS === 0) await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()))
  else await pause(durationS * 1000, signal)
}

async function isReady(url: string): Promise<boolean> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(2000) })
    await response.arrayBuffer()
    return response.status === 200
  } catch {
    return false
  }
}

function pause(delayMs: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, delayMs)
    signal.addEventListener(
      'abort',
      () => {
        clearTimeout(timer)
        resolve()
      },
      { once: true },
    )
  })
}
