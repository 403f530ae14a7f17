//! Function words and verbs of goals in the languages most often met in Latin script.

/// Language code, then its words in lower case.
pub(super) const WORDS: &[(&str, &str)] = &[
    (
        "es",
        "el la los las un una unos unas de del al y o en con sin por para que como cómo qué es son mi mis tu su sus más \
         menos muy se lo le les yo quiero quisiera necesito puedo puede hacer tener ser estar ir aprender perder ganar \
         ahorrar mejorar correr leer dejar empezar comenzar escribir hablar estudiar bajar peso dinero meses mes semanas \
         semana días dias años ano año inglés ingles español hacer ejercicio fumar cocinar tocar guitarra viajar encontrar \
         trabajo salud dormir mejor kilos ayúdame ayudame cada día una libros casa negocio comprar nuevo vida comer plan \
         maratón desde cero",
    ),
    (
        "fr",
        "le la les un une des du de et ou en dans avec sans pour par que qui comment quoi est sont mon ma mes ton ta tes \
         son sa ses plus moins très je j tu il elle nous vous ils ne pas veux voudrais peux faire être avoir aller apprendre \
         perdre gagner économiser améliorer courir lire arrêter commencer écrire parler étudier maigrir poids argent mois \
         semaines semaine jours jour ans année anglais français fumer cuisiner jouer guitare voyager trouver travail santé \
         dormir mieux kilos aide aidez moi chaque livres maison entreprise acheter nouveau vie manger l d au aux ce cette \
         devenir mettre sport",
    ),
    (
        "de",
        "der die das den dem des ein eine einen einem einer und oder in mit ohne für von zu zum zur im am wie was ist sind \
         mein meine meinen dein sein ihr mehr weniger sehr ich du er sie wir nicht kein will möchte muss kann machen haben \
         werden gehen lernen abnehmen zunehmen sparen verbessern laufen lesen aufhören beginnen schreiben sprechen studieren \
         gewicht geld monate monaten wochen woche tage tagen tag jahre jahr jahren englisch deutsch spanisch französisch \
         rauchen kochen spielen gitarre klavier reisen finden arbeit gesundheit schlafen besser hilf mir jeden bücher haus \
         unternehmen kaufen neue neues neuen leben essen auf gesünder ernähren gründen abzunehmen treiben",
    ),
    (
        "pt",
        "o os as um uma uns umas de do da dos das e ou em no na nos nas com sem por para que como é são meu minha meus \
         seu sua mais menos muito eu quero gostaria preciso posso fazer ter ser estar ir aprender perder ganhar economizar \
         melhorar correr ler parar começar escrever falar estudar emagrecer peso dinheiro meses mês semanas semana dias dia \
         anos ano inglês espanhol português fumar cozinhar tocar violão viajar encontrar trabalho saúde dormir melhor quilos \
         ajude ajuda cada livros casa negócio comprar novo vida comer maratona guardar juntar",
    ),
    (
        "it",
        "il lo la gli le un uno una di del della dei delle e o in nel nella con senza per che come è sono mio mia miei mie \
         tuo suo più meno molto io voglio vorrei devo posso fare avere essere andare imparare perdere guadagnare risparmiare \
         migliorare correre leggere smettere iniziare cominciare scrivere parlare studiare dimagrire peso soldi denaro mesi \
         mese settimane settimana giorni giorno anni anno inglese spagnolo italiano fumare cucinare suonare chitarra \
         pianoforte viaggiare trovare lavoro salute dormire meglio chili aiutami ogni libri casa comprare nuovo vita mangiare \
         diventare maratona tre sei a l da al alla",
    ),
    (
        "nl",
        "de het een en of in met zonder voor van naar te op hoe wat is zijn mijn jouw meer minder heel ik jij wij niet geen \
         wil zou moet kan doen hebben worden gaan leren afvallen sparen verbeteren hardlopen rennen lezen stoppen beginnen \
         schrijven spreken studeren gewicht geld maanden maand weken week dagen dag jaar jaren engels spaans nederlands \
         roken koken spelen gitaar reizen vinden werk gezondheid slapen beter kilo help mij elke boeken huis bedrijf kopen \
         nieuw nieuwe leven eten gezonder aan bij",
    ),
    (
        "sv",
        "en ett och eller i med utan för av till på hur vad är min mitt mina mer mindre mycket jag du vi inte vill skulle måste \
         kan göra ha bli gå lära gå ner spara förbättra springa läsa sluta börja skriva tala prata studera vikt pengar månader \
         månad veckor vecka dagar dag år engelska spanska svenska röka laga spela gitarr resa hitta jobb hälsa sova bättre mig \
         att på som det den om",
    ),
    (
        "da",
        "en et og eller i med uden for af til på hvordan hvad er min mit mine mere mindre meget jeg du vi ikke vil skal kan \
         gøre have blive gå lære tabe spare forbedre løbe læse stoppe begynde skrive tale vægt penge måneder måned uger uge \
         dage dag år engelsk spansk dansk ryge spille guitar rejse finde arbejde sundhed sove bedre mig at det den ned hver",
    ),
    (
        "pl",
        "i w z na do się jak co jest są mój moja moje więcej mniej bardzo ja chcę chcę muszę mogę robić mieć być iść nauczyć \
         schudnąć oszczędzać poprawić biegać czytać rzucić przestać zacząć pisać mówić uczyć wagę pieniądze miesiące miesięcy \
         miesiąc tygodni tydzień dni dzień lat rok angielskiego hiszpańskiego palenie gotować grać gitarze podróżować znaleźć \
         pracę zdrowie spać lepiej pomóż mi każdy książek dom nowy życie jeść chce nauczyc ciągu przez",
    ),
    (
        "tr",
        "bir ve veya için ile nasıl ne benim daha çok az ben istiyorum öğrenmek kilo vermek para biriktirmek koşmak okumak \
         bırakmak başlamak yazmak konuşmak ay ayda hafta haftada gün günde yıl yılda ingilizce ispanyolca sigarayı yemek \
         gitar çalmak seyahat bulmak iş sağlık uyumak iyi her kitap ev yeni hayat içinde istiyor ogrenmek",
    ),
    (
        "id",
        "dan atau di ke dari dengan tanpa untuk yang bagaimana cara apa adalah saya aku kamu lebih ingin mau harus bisa belajar \
         menurunkan berat badan menabung uang bulan minggu hari tahun bahasa inggris spanyol merokok memasak bermain gitar \
         berlari membaca berhenti mulai menulis berbicara baik setiap buku rumah baru hidup makan dalam tidak pekerjaan",
    ),
    (
        "ro",
        "și sau în cu fără pentru de la pe cum ce este sunt meu mea mai mult puțin foarte eu vreau trebuie pot să învăț slăbesc \
         economisesc alerg citesc las încep scriu vorbesc bani luni lună săptămâni zile ani engleză spaniolă fumat gătesc chitară \
         vreau sa invat slabesc",
    ),
    (
        "cs",
        "a v z na do se jak co je jsou můj moje více méně velmi já chci musím mohu naučit zhubnout ušetřit zlepšit běhat číst \
         přestat začít psát mluvit peníze měsíce měsíců měsíc týdnů týden dní den let rok anglicky španělsky kouřit vařit hrát \
         kytaru najít práci zdraví spát lépe každý knih dům nový život jíst",
    ),
    (
        "vi",
        "tôi muốn học cách làm thế nào để trong tháng tuần ngày năm tiếng anh giảm cân tiết kiệm tiền chạy đọc bỏ thuốc lá nấu ăn \
         chơi đàn và hoặc với không của mỗi sách nhà mới tốt hơn",
    ),
    (
        "fi",
        "ja tai kanssa ilman miten kuinka mitä on minun enemmän minä haluan pitää voin oppia laihtua säästää rahaa parantaa juosta \
         lukea lopettaa aloittaa kirjoittaa puhua kuukaudessa viikossa päivässä vuodessa englantia espanjaa tupakointi kitaraa",
    ),
];
