import { createHash } from 'node:crypto'

export type Fingerprint = {
  /** The same for messages of a topic that died of the same type of error at the same place. */
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

/** Frames and messages beyond this say nothing new; it bounds what the patterns walk. */
const LINES_READ_MAX = 200
const LINE_READ_MAX = 1_000

/**
 * Pure: messages of a topic that died of the same type of error, first thrown from the same frame of the application, are one group.
 * Without a frame the message decides, without what varies in it. null = nobody said why.
 */
export function fingerprintOf(topic: string, error: string | null): Fingerprint {
  const lines = (error ?? '')
    .split(/\r?\n/, LINES_READ_MAX)
    .map((line) => line.slice(0, LINE_READ_MAX))
    .filter((line) => line.trim() !== '')
  const frame = firstFrame(lines)
  const head = headOf(lines)
  const said = withoutWhatVaries(head) || 'no reason was given'
  const place = frame === null ? '' : ` in ${frame}`
  const same = frame === null ? said : (typeOf(head) ?? said)
  const fingerprint = createHash('sha256')
    .update(JSON.stringify([topic, same, frame]))
    .digest('hex')
  return { fingerprint: fingerprint.slice(0, 16), title: `${said}${place}`.slice(0, TITLE_MAX) }
}

const RUBY_HEAD = /^\s*\S+\.rb:\d+:in\s+[`'].+?': (.+)$/

/** The line that says what went wrong: Python puts it last, Ruby behind its first frame, all others first. */
function headOf(lines: readonly string[]): string {
  if (isPython(lines)) return lines.at(-1) ?? ''
  const [, ruby] = RUBY_HEAD.exec(lines[0] ?? '') ?? []
  return ruby ?? lines.find((line) => frameOf(line) === null) ?? lines[0] ?? ''
}

const isPython = (lines: readonly string[]): boolean =>
  lines.some((line) => /^Traceback \(most recent call last\)/.test(line))

const BEFORE_TYPE =
  /^\s*(?:Exception in thread "[^"]*"\s+|Unhandled exception\.?\s+|(?:PHP )?Fatal error:\s+|Uncaught (?:exception )?|Error processing message:\s+)*/

/** `TypeError`, `java.lang.IllegalStateException`, `App\Declined`, Ruby's `(ArgumentError)`, Go's `panic`; null = it names none. */
function typeOf(head: string): string | null {
  const [, ruby] = /\(([A-Z]\w*(?:::\w+)*)\)\s*$/.exec(head) ?? []
  const [, type] = /^([A-Za-z_$][\w$.\\]*)(?: \[\w+\])?(?::|\s*$)/.exec(head.replace(BEFORE_TYPE, '')) ?? []
  return type ?? ruby ?? null
}

function firstFrame(lines: readonly string[]): string | null {
  const frames = lines.flatMap((line) => frameOf(line) ?? [])
  // Python's last frame is the innermost.
  const ordered = isPython(lines) ? frames.toReversed() : frames
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
