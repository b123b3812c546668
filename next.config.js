/** Sent with every answer; the content security policy has a nonce and comes from proxy.ts. */
const SECURITY_HEADERS = [
  { key: 'x-content-type-options', value: 'nosniff' },
  { key: 'x-frame-options', value: 'DENY' },
  { key: 'referrer-policy', value: 'same-origin' },
  { key: 'permissions-policy', value: 'camera=(), geolocation=(), microphone=(), payment=(), usb=()' },
  { key: 'cross-origin-opener-policy', value: 'same-origin' },
  { key: 'cross-origin-resource-policy', value: 'same-origin' },
]

/** @type {import('next').NextConfig} */
export default {
  output: 'standalone',
  // `npm run check` runs tsc over everything, tests included; a build does not repeat it.
  typescript: { ignoreBuildErrors: true },
  outputFileTracingRoot: import.meta.dirname,
  outputFileTracingExcludes: { '*': ['.data/**', '.test/**', 'demo/**', 'test/**', 'docs/**', 'jobs/**'] },
  poweredByHeader: false,
  reactStrictMode: true,
  // Their own files and native parts do not survive bundling.
  serverExternalPackages: [
    '@aws-sdk/client-dynamodb',
    '@aws-sdk/client-sqs',
    '@prisma/adapter-pg',
    '@prisma/client',
    'amqplib',
    'ioredis',
    'kafkajs',
    'pg',
    'pg-boss',
    'pg-copy-streams',
    'pg-query-stream',
    'pino',
    'stripe',
  ],
  experimental: { optimizePackageImports: ['radix-ui', 'lucide-react', 'recharts'] },
  headers: async () => [{ source: '/:path*', headers: SECURITY_HEADERS }],
}
