// Registries, and archives: the owner’s sentences in Dutch (see sentences.ts).

import type { Pattern } from './sentences';

export const registry: readonly Pattern[] = [
  ['The registry at {1} does not answer: {2}.', 'De registry op {1} antwoordt niet: {2}.'],
  [
    'The registry sent nothing for {1} seconds while Dockline waited to {2}.',
    'De registry zond {1} seconden lang niets, terwijl Dockline wachtte om {2}.',
  ],
  ['The registry wants a login before it lets anyone {1}.', 'Om {1} moet u bij de registry inloggen.'],
  [
    "The server {1}, where the registry's logins are checked, does not answer: {2}.",
    'De server {1}, waar de logins van de registry worden gecontroleerd, antwoordt niet: {2}.',
  ],
  [
    'The registry has its logins checked at {1}, and the tunnel does not lead there.',
    'De registry laat zijn logins controleren bij {1}, en daar leidt de tunnel niet heen.',
  ],
  [
    'The registry has its logins checked at {1}, where the password would go unencrypted.',
    'De registry laat zijn logins controleren bij {1}, waar het wachtwoord onversleuteld heen zou gaan.',
  ],
  ['The certificate of {1} cannot be trusted: {2}.', 'Het certificaat van {1} is niet te vertrouwen: {2}.'],
  ['The registry does not accept our certificate.', 'De registry accepteert ons certificaat niet.'],
  ['The registry asks for a certificate of ours.', 'De registry vraagt om een certificaat van ons.'],
  [
    'The certificate {1} cannot be shown to the registry: {2}.',
    'Het certificaat {1} kan de registry niet getoond worden: {2}.',
  ],
  [
    'Have it made again, with its own key; openssl makes version 3 where it is given extensions (openssl x509 -req -extfile FILE).',
    'Laat het opnieuw maken, met de eigen sleutel; openssl maakt versie 3 waar het extensies krijgt (openssl x509 -req -extfile BESTAND).',
  ],
  ['The certificate file {1} does not read: {2}.', 'Het certificaatbestand {1} is niet te lezen: {2}.'],
  ['The registry does not allow Dockline to {1}.', 'De registry staat Dockline niet toe om {1}.'],
  ['The registry does not list its repositories.', "De registry noemt zijn repository's niet."],
  ['The registry does not let anyone delete.', 'De registry laat niemand verwijderen.'],
  ['{1} has no image {2}.', '{1} heeft geen image {2}.'],
  ['The registry has no {1}.', 'De registry heeft {1} niet.'],
  ["The registry's disk is full.", 'De schijf van de registry is vol.'],
  ['The registry failed to {1} (HTTP {2}).', 'Het lukte de registry niet om {1} (HTTP {2}).'],
  [
    'What answers at {1} does not speak the registry protocol: {2}.',
    'Wat op {1} antwoordt, spreekt niet het protocol van een registry: {2}.',
  ],
  [
    'The registry keeps its data elsewhere and sends Dockline to {1}, which this tunnel does not reach.',
    'De registry bewaart zijn gegevens elders en stuurt Dockline naar {1}, waar deze tunnel niet komt.',
  ],
  [
    '{1} arrived damaged: {2} was expected and {3} came.',
    '{1} kwam beschadigd aan: {2} werd verwacht en {3} kwam.',
  ],
  ['{1} has no image for {2}; it has {3}.', '{1} heeft geen image voor {2}; wel voor {3}.'],
  [
    '{1} is {2}, which is not a container image that Dockline can carry.',
    '{1} is {2}, en dat is geen container-image dat Dockline kan overbrengen.',
  ],
  [
    "{1} is more than one image, or comes with others, and docker's own archives hold only one.",
    '{1} is meer dan één image, of komt met andere, en de archieven van docker zelf bevatten er maar één.',
  ],
  [
    'The file {1} exists already, and Dockline does not overwrite it.',
    'Het bestand {1} bestaat al, en Dockline overschrijft het niet.',
  ],
  ['The file {1} could not be {2}: {3}.', 'Het bestand {1} kon niet worden {2}: {3}.'],
  ['A layer could not be read any further: {1}.', 'Een laag was niet verder te lezen: {1}.'],
  ['The file {1} could not be read: {2}.', 'Het bestand {1} is niet te lezen: {2}.'],
  [
    'The file {1} is compressed, and there was no room to unpack it: {2}.',
    'Het bestand {1} is gecomprimeerd, en er was geen ruimte om het uit te pakken: {2}.',
  ],
  [
    'The file {1} is not an image archive: it is not a tar file.',
    'Het bestand {1} is geen image-archief: het is geen tar-bestand.',
  ],
  [
    'The file {1} is compressed with {2}, which Dockline cannot read yet.',
    'Het bestand {1} is gecomprimeerd met {2}, wat Dockline nog niet kan lezen.',
  ],
  [
    'The file {1} is damaged or was not copied completely: {2}.',
    'Het bestand {1} is beschadigd of niet helemaal gekopieerd: {2}.',
  ],
  [
    'The file {1} is a tar file but not an image archive: it has neither manifest.json (docker save) nor index.json (OCI layout).',
    'Het bestand {1} is een tar-bestand maar geen image-archief: het heeft geen manifest.json (docker save) en geen index.json (OCI-layout).',
  ],
  [
    "The file {1} holds a container's file system (docker export), not an image (docker save).",
    'Het bestand {1} bevat het bestandssysteem van een container (docker export), geen image (docker save).',
  ],
  ["The archive's {1} does not read: {2}.", '{1} in het archief is niet te lezen: {2}.'],
  ['The archive contradicts itself: {1}.', 'Het archief spreekt zichzelf tegen: {1}.'],
  ['The archive is incomplete: {1} is missing.', 'Het archief is niet compleet: {1} ontbreekt.'],
  [
    "The archive's {1} is damaged: its digest ought to be {2} and is {3}.",
    '{1} in het archief is beschadigd: zijn digest hoort {2} te zijn en is {3}.',
  ],
  [
    'The archive names a file outside itself ({1}); no honest image archive does.',
    'Het archief noemt een bestand buiten zichzelf ({1}); geen eerlijk image-archief doet dat.',
  ],
  ['The archive has no image in it.', 'Er zit geen image in het archief.'],
  ['The archive has several images in it: {1}.', 'Er zitten meerdere images in het archief: {1}.'],
  ['The archive has no image called {1}; it has {2}.', 'Het archief heeft geen image dat {1} heet; wel {2}.'],
  ['The archive has no image for {1}; it has {2}.', 'Het archief heeft geen image voor {1}; wel voor {2}.'],
  [
    'The archive has not all of the image: its index names {1} as well.',
    'Het archief bevat niet het hele image: zijn index noemt ook {1}.',
  ],
  [
    'Push it without --all-platforms, or make an archive of all of it: skopeo copy --all, or dockline pull --output FILE --all-platforms.',
    'Push het zonder alle platforms, of maak een archief van het hele image: haal het op in een bestand, met alle platforms.',
  ],
  [
    'Make it again with docker save, podman save or skopeo copy.',
    'Maak het opnieuw met docker save, podman save of skopeo copy.',
  ],
  ['Check the path, and who may read it.', 'Controleer het pad, en wie het mag lezen.'],
  [
    'Free some space in the folder for temporary files (TMPDIR).',
    'Maak ruimte in de map voor tijdelijke bestanden (TMPDIR).',
  ],
  [
    'Say which one (--image NAME), or push it under its own name.',
    'Zeg welk, onder “Meer opties”, of push het onder zijn eigen naam.',
  ],
  [
    'Name one that is there, as `tar xOf FILE manifest.json` shows them.',
    'Noem er een die er is; `tar xOf BESTAND manifest.json` toont ze.',
  ],
  [
    'Pull the image once with Docker 25 or older and save it again: that converts it.',
    'Haal het image één keer op met Docker 25 of ouder en sla het opnieuw op: dat zet het om.',
  ],
  [
    'Convert it once, with skopeo copy --format v2s2, or by a pull and a push with Docker 25 or older.',
    'Zet het één keer om, met skopeo copy --format v2s2, of door het met Docker 25 of ouder op te halen en te pushen.',
  ],
  [
    'Use docker save IMAGE instead of docker export CONTAINER.',
    'Gebruik docker save IMAGE in plaats van docker export CONTAINER.',
  ],
  ['Unpack it first, or compress it with gzip.', 'Pak het eerst uit, of comprimeer het met gzip.'],
  [
    'Do not use this file unless you trust where it came from.',
    'Gebruik dit bestand alleen als u vertrouwt waar het vandaan komt.',
  ],
  [
    'Save the image for this platform (docker save --platform).',
    'Sla het image voor dit platform op (docker save --platform).',
  ],
  [
    'Check that the registry runs on its host and that the tunnel ends at its port, then try again.',
    'Kijk of de registry op zijn host draait en of de tunnel op zijn poort uitkomt, en probeer het opnieuw.',
  ],
  [
    "The link or the registry's disk may be overloaded; what was sent is kept, so try again.",
    'Misschien is de lijn of de schijf van de registry overbelast; wat verzonden is blijft bewaard, dus probeer het opnieuw.',
  ],
  [
    'Check its address (`dockline list` shows it), and whether this machine gets there.',
    'Controleer het adres (Bewerken op de kaart toont het), en of deze computer daar komt.',
  ],
  [
    'Log in with `dockline login {1}`; if you did, name or password are not right any more.',
    'Log in bij de registry; deed u dat al, dan kloppen naam of wachtwoord niet meer.',
  ],
  [
    "Log in with `dockline login` and the registry's name; if you did, name or password are not right any more.",
    'Log in bij de registry; deed u dat al, dan kloppen naam of wachtwoord niet meer.',
  ],
  [
    "Check that it runs; the registry's configuration names it (auth: token: realm).",
    'Kijk of hij draait; de configuratie van de registry noemt hem (auth: token: realm).',
  ],
  [
    "Let the registry's own port lead to it as well (nginx: location /auth/), and name it so in the registry's configuration (auth: token: realm).",
    'Laat de poort van de registry er ook heen leiden (nginx: location /auth/), en noem hem zo in de configuratie van de registry (auth: token: realm).',
  ],
  [
    "Give the token server TLS, or let the registry's own port lead to it (nginx: location /auth/).",
    'Geef de tokenserver TLS, of laat de poort van de registry erheen leiden (nginx: location /auth/).',
  ],
  [
    "If a private authority signed it, name that authority's certificate: dockline setup {1} --ca FILE",
    'Als een eigen autoriteit het tekende: noem het certificaat daarvan onder “Certificaatautoriteit” bij Bewerken van {1}.',
  ],
  [
    'If a private authority signed it, name that authority\'s certificate: dockline setup REGISTRY --ca FILE, or ca = "FILE" in the configuration.',
    'Als een eigen autoriteit het tekende: noem het certificaat daarvan onder “Certificaatautoriteit” bij Bewerken.',
  ],
  ['Whoever runs the registry has to renew it.', 'Wie de registry beheert, moet het vernieuwen.'],
  [
    "Check the clocks of this machine and of the registry's host.",
    'Controleer de klokken van deze computer en van de host van de registry.',
  ],
  [
    'Call the registry by a name that is in its certificate, or have one made for this name.',
    'Noem de registry bij een naam die in zijn certificaat staat, of laat er een maken voor deze naam.',
  ],
  [
    'Ask whoever runs the registry about its certificate.',
    'Vraag wie de registry beheert naar zijn certificaat.',
  ],
  [
    'Name one that its owner made for you: client-certificate and client-key in the configuration, or client.cert and client.key in ~/.docker/certs.d/REGISTRY:PORT.',
    'Noem er een die de eigenaar voor u maakte, onder “Clientcertificaat” bij Bewerken.',
  ],
  [
    'It has to be a PEM file, with BEGIN CERTIFICATE in it.',
    'Het moet een PEM-bestand zijn, met BEGIN CERTIFICATE erin.',
  ],
  [
    'The registry has {1} as {2} by now, and {3} was pushed.',
    'De registry heeft {1} inmiddels als {2}, en {3} is gepusht.',
  ],
  [
    'You are logged in there as {1}. Ask whoever runs the registry what that login may do, or log in as somebody else.',
    'U bent daar ingelogd als {1}. Vraag wie de registry beheert wat die login mag, of log in als iemand anders.',
  ],
  [
    'Ask whoever runs the registry whether it is read-only, or who may write there.',
    'Vraag wie de registry beheert of die alleen-lezen is, of wie er mag schrijven.',
  ],
  [
    'Name a repository: its tags and images can be seen all the same.',
    'Noem een repository: zijn tags en images zijn toch te zien.',
  ],
  [
    "Allow it in the registry's configuration (storage: delete: enabled: true, or REGISTRY_STORAGE_DELETE_ENABLED=true) and start it again.",
    'Sta het toe in de configuratie van de registry (storage: delete: enabled: true, of REGISTRY_STORAGE_DELETE_ENABLED=true) en start de registry opnieuw.',
  ],
  [
    "Check the name for typing errors. Some registries (Amazon's ECR) take pushes only to repositories that were made before.",
    'Kijk of er een typefout in de naam staat. Sommige registry’s (ECR van Amazon) nemen alleen pushes aan voor repositories die al bestaan.',
  ],
  [
    'The registry limits how often it may be asked; wait a while, or log in there.',
    'De registry beperkt hoe vaak er iets mag worden gevraagd; wacht even, of log daar in.',
  ],
  ['Check the name and the tag for typing errors.', 'Kijk of er een typefout in de naam of de tag staat.'],
  [
    "Free space on the registry's host: delete tags nobody needs and run the registry's garbage collection, or give it a larger disk. Then push again; layers that arrived are kept.",
    'Maak ruimte op de host van de registry: verwijder tags die niemand nodig heeft en laat de garbage collection lopen, of geef hem een grotere schijf. Push daarna opnieuw; lagen die aankwamen blijven bewaard.',
  ],
  [
    "This is often a full disk or missing write permission on the registry's host: look there at df and at the registry's log.",
    'Dit is vaak een volle schijf of een ontbrekend schrijfrecht op de host van de registry: kijk daar naar df en naar het log van de registry.',
  ],
  ["The registry's log on its host says more.", 'Het log van de registry op zijn host zegt meer.'],
  [
    'Push it again: the registry did not take a layer in pieces, and now gets each one in a single request.',
    'Push hem opnieuw: de registry nam een laag niet in stukken aan, en krijgt er nu elke in één verzoek.',
  ],
  [
    "Check that the tunnel ends at the registry's port and not at another program's.",
    'Kijk of de tunnel op de poort van de registry uitkomt en niet op die van een ander programma.',
  ],
  [
    "Turn redirects off in the registry's configuration (storage: redirect: disable: true).",
    'Zet doorverwijzen uit in de configuratie van de registry (storage: redirect: disable: true).',
  ],
  [
    "Try again; if it happens again, the registry's storage is damaged.",
    'Probeer het opnieuw; gebeurt het weer, dan is de opslag van de registry beschadigd.',
  ],
  [
    'Choose a platform that there is, or build and push the image for this one as well.',
    'Kies een platform dat er is, of bouw en push het image ook voor dit platform.',
  ],
  [
    'Write an OCI archive instead (--format oci), or choose one platform.',
    'Schrijf een OCI-archief, of kies één platform.',
  ],
  [
    'Push the image again with a current Docker or Podman.',
    'Push het image opnieuw met een hedendaagse Docker of Podman.',
  ],
  ['Choose another name, or move that file away.', 'Kies een andere naam, of haal dat bestand weg.'],
  ['Check the path.', 'Controleer het pad.'],
  ['Check who may read and write there.', 'Kijk wie daar mag lezen en schrijven.'],
  [
    "This machine's disk is full; free some space and try again.",
    'De schijf van deze computer is vol; maak ruimte en probeer het opnieuw.',
  ],
  [
    "Check that the archive's disk is still there and try again.",
    'Kijk of de schijf van het archief er nog is, en probeer het opnieuw.',
  ],
  [
    "Deleting removes the image from the registry's lists. Its layers stay on the registry's disk until its garbage collection runs there.",
    'Verwijderen haalt het image uit de lijsten van de registry. Zijn lagen blijven op de schijf van de registry tot de garbage collection daar loopt.',
  ],
  [
    'Other repositories of the registry may use the same layers; what they use is not freed either.',
    "Andere repository's van de registry gebruiken misschien dezelfde lagen; wat zij gebruiken, komt ook niet vrij.",
  ],
  [
    '{1} tags name this image, and all of them go with it.',
    '{1} tags noemen dit image, en ze gaan allemaal mee.',
  ],
  [
    'It is a list of images for several platforms: the list goes, and the images in it stay in the registry without a name until its garbage collection takes untagged images too.',
    'Het is een lijst van images voor verschillende platforms: de lijst gaat weg, en de images erin blijven zonder naam in de registry tot de garbage collection ook images zonder tag opruimt.',
  ],
  [
    'A multi-platform image of this repository contains it, and would be broken.',
    'Een image voor meerdere platforms in deze repository bevat het, en zou kapotgaan.',
  ],
  [
    '{1}: what the plan would delete has changed since it was shown.',
    '{1}: wat het plan zou verwijderen, is veranderd sinds het getoond werd.',
  ],
  [
    'Somebody pushed meanwhile. Look at it again, and then delete it.',
    'Intussen heeft iemand gepusht. Bekijk het opnieuw, en verwijder het dan.',
  ],
  [
    'The folder {1} is not an image: it has no file oci-layout in it, as an OCI layout has.',
    'De map {1} is geen image: er staat geen bestand oci-layout in, zoals in een OCI-layout.',
  ],
  [
    'Name the folder that holds oci-layout and index.json (skopeo copy writes one: oci:FOLDER), or an archive file (docker save --output app.tar).',
    'Noem de map waarin oci-layout en index.json staan (skopeo copy schrijft er een: oci:MAP), of een archiefbestand (docker save --output app.tar).',
  ],
  ['{1} has no {2}.', '{1} heeft geen {2}.'],
];
