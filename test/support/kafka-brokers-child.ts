import { type AddressInfo, connect, createServer } from 'node:net'
import koffi from 'koffi'

// librdkafka's mock brokers in a process of their own, each behind a front that mends what the mock says wrongly (its controller's id,
// for idempotent producers) and can swallow one answer. Commands come from the parent.

const lib = koffi.load('librdkafka.so.1')
const newConf = lib.func('void* rd_kafka_conf_new()')
const newKafka = lib.func('void* rd_kafka_new(int, void*, void*, size_t)')
const newCluster = lib.func('void* rd_kafka_mock_cluster_new(void*, int)')
const bootstraps = lib.func('const char* rd_kafka_mock_cluster_bootstraps(void*)')
const createTopic = lib.func('int rd_kafka_mock_topic_create(void*, const char*, int, int)')
const setDown = lib.func('int rd_kafka_mock_broker_set_down(void*, int)')
const setUp = lib.func('int rd_kafka_mock_broker_set_up(void*, int)')
const pushErrors = lib.func('void rd_kafka_mock_push_request_errors_array(void*, int16, size_t, int*)')

const BROKERS = 1
const CONTROLLER_ID = 1
const METADATA = 3
const FIND_COORDINATOR = 10
const cluster = newCluster(newKafka(0, newConf(), null, 0), BROKERS)
const ports = new Map<number, number>()
/** The API whose next answer is swallowed, with the connection. */
let dropReplyOf: number | null = null

const patchPort = (frame: Buffer, at: number) => {
  const port = ports.get(frame.readInt32BE(at))
  if (port !== undefined) frame.writeInt32BE(port, at)
}
const afterString = (frame: Buffer, at: number) => at + 2 + Math.max(frame.readInt16BE(at), 0)

/** Versions 1–8: throttle time, brokers (id, host, port, rack), cluster id, controller id. */
function mendMetadata(frame: Buffer, version: number): void {
  let at = version >= 3 ? 12 : 8
  const brokers = frame.readInt32BE(at)
  at += 4
  for (let broker = 0; broker < brokers; broker++) {
    at = afterString(frame, at + 4)
    patchPort(frame, at)
    at = afterString(frame, at + 4)
  }
  if (version >= 2) at = afterString(frame, at)
  frame.writeInt32BE(CONTROLLER_ID, at)
}

/** Versions 0–2: throttle time, error, message, id, host, port. */
function mendCoordinator(frame: Buffer, version: number): void {
  let at = version >= 1 ? 14 : 10
  if (version >= 1) at = afterString(frame, at)
  patchPort(frame, afterString(frame, at + 4))
}

/** Calls with each whole frame of a stream. */
function eachFrame(call: (frame: Buffer) => void): (bytes: Buffer) => void {
  let rest = Buffer.alloc(0)
  return (bytes) => {
    rest = Buffer.concat([rest, bytes])
    while (rest.length >= 4 && rest.length >= 4 + rest.readInt32BE(0)) {
      const length = 4 + rest.readInt32BE(0)
      const frame = Buffer.from(rest.subarray(0, length))
      rest = rest.subarray(length)
      call(frame)
    }
  }
}

async function startFront(upstreamPort: number): Promise<void> {
  const server = createServer({ noDelay: true }, (client) => {
    const upstream = connect({ port: upstreamPort, host: '127.0.0.1', noDelay: true })
    const asked = new Map<number, { api: number; version: number }>()
    const end = () => {
      client.destroy()
      upstream.destroy()
    }
    for (const socket of [client, upstream]) socket.on('error', end).on('close', end)
    client.on(
      'data',
      eachFrame((frame) => {
        asked.set(frame.readInt32BE(8), { api: frame.readInt16BE(4), version: frame.readInt16BE(6) })
        upstream.write(frame)
      }),
    )
    upstream.on(
      'data',
      eachFrame((frame) => {
        const correlation = frame.readInt32BE(4)
        const { api = -1, version = -1 } = asked.get(correlation) ?? {}
        asked.delete(correlation)
        if (api === METADATA && version >= 1 && version <= 8) mendMetadata(frame, version)
        if (api === FIND_COORDINATOR && version <= 2) mendCoordinator(frame, version)
        if (dropReplyOf === api) {
          dropReplyOf = null
          return end()
        }
        client.write(frame)
      }),
    )
  })
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
  ports.set(upstreamPort, (server.address() as AddressInfo).port)
}

type Command =
  | { name: 'createTopic'; topic: string; partitions: number }
  | { name: 'down' | 'up' }
  | { name: 'errors'; api: number; codes: number[] }
  | { name: 'dropReplyOf'; api: number }

function execute(command: Command): void {
  if (command.name === 'createTopic') createTopic(cluster, command.topic, command.partitions, BROKERS)
  if (command.name === 'down') setDown(cluster, CONTROLLER_ID)
  if (command.name === 'up') setUp(cluster, CONTROLLER_ID)
  if (command.name === 'errors') pushErrors(cluster, command.api, command.codes.length, command.codes)
  if (command.name === 'dropReplyOf') dropReplyOf = command.api
}

for (const address of String(bootstraps(cluster)).split(',')) await startFront(Number(address.split(':')[1]))
process.on('message', (command: Command) => {
  execute(command)
  process.send?.({ done: command.name })
})
process.on('disconnect', () => process.exit(0))
process.send?.({ brokers: [...ports.values()].map((port) => `127.0.0.1:${port}`) })
