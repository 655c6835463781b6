/** Which names of variables promise a secret. */

const SECRET_NAME = /(?:^|_)(?:TOKEN|SECRET|PASSWORD|PASSWD|PASSPHRASE|CREDENTIAL|API_?KEY|KEY|PAT|SECRET_ID)S?$/;

/** Whether a variable of this name is likely to hold a secret: `GITHUB_TOKEN`, `OPENAI_API_KEY`, `DB_PASSWORD`. */
export function looksSecret(name: string): boolean {
  return SECRET_NAME.test(name);
}
