/** OpenSSL's words for a certificate that another authority has signed: somebody shows an authority that is not theirs. */
const notTheirs: ReadonlySet<string> = new Set([
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'CERT_SIGNATURE_FAILURE',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
])

/** Whether a connection failed since the other side proves itself by an authority that we do not trust. */
export function isOfAnotherAuthority(error: unknown): boolean {
  return error instanceof Error && 'code' in error && notTheirs.has(String(error.code))
}
