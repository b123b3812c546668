/** The emulator takes any; the console's source has the same. */
export const credentials = { accessKeyId: 'demo', secretAccessKey: 'demo' }
