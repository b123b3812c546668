import { createHash } from 'node:crypto'

export type Fingerprint = {
  /** The same for messages of a topic that were given up for the same reason at the same place. */
  fingerprint: string
  /** In words: type of the error, its message without what varies, first frame of the application. */
  title: string
}

const TITLE_MAX = 200

/** Frames in the notations of JavaScript, Java, .NET, Python, PHP, Go and Ruby. */
const FRAMES = [
  // at charge (/app/src/charge.ts:10:5), at com.acme.Charge.run(Charge.java:42), at Acme.Charge.Run() in C:\src\Charge.cs:line 42
  /^\s*at\s+(.+)$/,
  //   File "/app/charge.py", line 10, in charge
  /^\s*File\s+"([^"]+)", line \d+, in (.+)$/,
  // #0 /app/src/Charge.php(10): Charge->run()
  /^#\d+\s+(.+?)\(\d+\):\s*(.*)$/,
  //     /app/charge.go:10 +0x1d
  /^\s+(\S+\.go):\d+/,
  // charge.rb:10:in `run'
  /^\s*(?:from\s+)?(\S+\.rb):\d+:in\s+[`'](.+?)'/,
]

/** Frames of runtimes and libraries: the first that is none of these is the application's. */
const FOREIGN =
  /node_modules|node:|internal\/|<anonymous>|^(java|javax|jdk|sun|kotlin|scala|org\.(spring|apache|hibernate))|^System\.|^Microsoft\.|site-packages|dist-packages|\/lib\/python|\/vendor\/|\/usr\/(local\/)?go\/|\/gems\//

/** What differs from message to message, and what a deployment changes. */
const VARIES: [RegExp, string][] = [
  [/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/gi, '…'],
  [/\b\d{4}-\d\d-\d\d[T ][\d:.]+(?:Z|[+-]\d\d:?\d\d)?/g, '…'],
  [/\b(?:0x)?[0-9a-f]{12,}\b/gi, '…'],
  [/\b\w*\d\w*_\w*\b|\b\w+_\w*\d\w*\b/g, '…'],
  [/"[^"]{0,200}"|'[^']{0,200}'/g, '“…”'],
  [/\d+/g, '…'],
]

const withoutWhatVaries = (text: string): string =>
  VARIES.reduce((rest, [pattern, by]) => rest.replace(pattern, by), text)
    .replace(/(…[\s,.:;/-]*)+/g, '… ')
    .trim()

/** Pure: messages that died of the same thing are one group. null = nobody said why. */
export function fingerprintOf(topic: string, error: string | null): Fingerprint {
  const lines = (error ?? '').split('\n').filter((line) => line.trim() !== '')
  const frame = firstFrame(lines)
  const head = withoutWhatVaries(headOf(lines)) || 'no reason was given'
  const place = frame === null ? '' : ` in ${frame}`
  const title = `${head}${place}`.slice(0, TITLE_MAX)
  const fingerprint = createHash('sha256')
    .update(JSON.stringify([topic, head, frame]))
    .digest('hex')
  return { fingerprint: fingerprint.slice(0, 16), title }
}

/** The line that says what went wrong: Python and Ruby put it last, all others first. */
function headOf(lines: readonly string[]): string {
  const isPython = /^Traceback \(most recent call last\)/.test(lines[0] ?? '')
  return (isPython ? lines.at(-1) : lines.find((line) => frameOf(line) === null)) ?? ''
}

function firstFrame(lines: readonly string[]): string | null {
  const frames = lines.flatMap((line) => frameOf(line) ?? [])
  // Python's last frame is the innermost.
  const ordered = /^Traceback/.test(lines[0] ?? '') ? frames.toReversed() : frames
  const frame = ordered.find((each) => !FOREIGN.test(each)) ?? ordered[0]
  if (frame === undefined) return null
  // Lines and columns move with each deployment, folders with each machine.
  return frame
    .replace(/:line \d+|(:\d+)+|\+0x[0-9a-f]+/g, '')
    .replace(/(?:file:\/\/)?(?:[A-Za-z]:)?[\\/](?:[^\\/()\s]+[\\/])+/g, '')
    .trim()
}

function frameOf(line: string): string | null {
  for (const pattern of FRAMES) {
    const found = pattern.exec(line)
    if (found !== null) return found.slice(1).filter(Boolean).join(' ')
  }
  return null
}
