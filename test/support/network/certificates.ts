/** Certificates of a private authority, made by openssl for one test file. */
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

/** Paths of two PEM files. */
export interface Certificate {
  readonly cert: string;
  readonly key: string;
}

interface Wish {
  /** The file's name, and the certificate's common name where no other is given. */
  readonly name: string;
  readonly commonName?: string;
  /** As openssl writes alternative names. Default: this machine. */
  readonly hosts?: string;
  /** Below 0: it has expired. */
  readonly days?: number;
  /** Default: it signs itself. */
  readonly by?: Certificate;
}

export interface CertificateFolder {
  readonly make: (wish: Wish) => Promise<Certificate>;
  readonly remove: () => void;
}

const HERE = 'DNS:localhost,IP:127.0.0.1';

export function createCertificateFolder(): CertificateFolder {
  const folder = mkdtempSync(join(tmpdir(), 'runtime-cleanup-certificates-'));
  return {
    make: async ({ name, commonName = name, hosts = HERE, days = 30, by }) => {
      const made = { cert: join(folder, `${name}.pem`), key: join(folder, `${name}.key`) };
      const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-noenc', '-keyout', made.key];
      const about = ['-subj', `/CN=${commonName}`, '-addext', `subjectAltName=${hosts}`];
      const request = by === undefined ? ['-x509', '-days', String(days)] : [];
      const target = by === undefined ? made.cert : join(folder, `${name}.csr`);
      await promisify(execFile)('openssl', ['req', ...request, ...key, ...about, '-out', target]);
      if (by !== undefined) {
        const signed = ['-CA', by.cert, '-CAkey', by.key, '-CAcreateserial', '-copy_extensions', 'copy'];
        const ending = ['-days', String(days), '-in', target, '-out', made.cert];
        await promisify(execFile)('openssl', ['x509', '-req', ...signed, ...ending]);
      }
      return made;
    },
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}
