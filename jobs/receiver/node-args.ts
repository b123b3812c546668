/**
 * How the receiver's process is started: what a batch says of its keys lives as long as its transaction, and with Node's
 * 16 MiB for young objects each collection copies it.
 */
export const RECEIVER_ARGS = ['--max-semi-space-size=32', '--import', 'tsx', 'jobs/receiver/main.ts']
