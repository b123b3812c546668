/**
 * How the receiver's process is started: decoded spans live as long as their transaction, and with Node's 16 MiB for
 * young objects each of them is copied; a third of the receiver's time went there.
 */
export const RECEIVER_ARGS = ['--max-semi-space-size=24', '--import', 'tsx', 'jobs/receiver.ts']
