// Words of what is asked on the way.

export const en = {
  prompt: {
    hostKeyTitle: (host: string) => `Is this really ${host}?`,
    hostKeyBody:
      'You have not connected to this host before. Compare the fingerprint with what the command below prints on the host itself. If they differ, do not connect: somebody may sit in between.',
    keyType: 'Key type',
    fingerprint: 'Fingerprint',
    hostKeyHow: 'On the host itself, this prints it:',
    hostKeyCommand: (type: string) =>
      `ssh-keygen -lf /etc/ssh/ssh_host_${type.replace(/^ssh-/, '').replace(/^ecdsa-.*/, 'ecdsa')}_key.pub`,
    trust: 'It is; remember this key',
    refuseKey: 'Do not connect',
    passphraseTitle: 'Your key is locked',
    passphraseBody: (key: string) => `The passphrase of ${key} unlocks it.`,
    passphrase: 'Passphrase',
    passwordTitle: (login: string) => `Password for ${login}`,
    passwordBody: 'None of your keys was accepted, so the host asks for a password.',
    password: 'Password',
    challengeTitle: (login: string) => `${login} asks you something`,
    challengeBody: 'Your answer goes to this host, once, and is not kept.',
    challenge: 'Answer',
    again: 'That was not it. Try once more.',
    remember: 'Keep it in the system’s keyring',
    submit: 'Continue',
    refuse: 'Cancel',
    forRegistry: (name: string) => `For ${name}`,
  },
};
