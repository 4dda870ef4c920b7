<?php
// What the extractors of spatie/mixed-content-scanner and bramus/mixed-content-scan say of some files, as JSON: php other_scanners.php FOLDER FILE…
// FOLDER holds MixedContentExtractor.php, MixedContentLinkedCssExtractor.php (spatie, src) and DOMDocument.php (bramus, src), as they are.
// They need the components that Debian packages as php-symfony-dom-crawler, php-guzzlehttp-psr7 and php-illuminate-collections.

namespace Spatie\MixedContentScanner {
    class MixedContent
    {
        public string $url;

        public function __construct($element, $url, $foundOn)
        {
            $this->url = (string) $url;
        }
    }
}

namespace {
    foreach (['Symfony/Component/DomCrawler', 'GuzzleHttp/Psr7', 'Illuminate/Collections'] as $component) {
        require "$component/autoload.php";
    }
    foreach (['MixedContentExtractor', 'MixedContentLinkedCssExtractor', 'DOMDocument'] as $source) {
        require "$argv[1]/$source.php";
    }
    libxml_use_internal_errors(true);
    $said = ['spatie' => [], 'bramus' => []];
    foreach (array_slice($argv, 2) as $file) {
        $text = file_get_contents($file);
        $page = 'https://shop.moon.test/' . basename($file);
        if (str_ends_with($file, '.css')) {
            $uri = new GuzzleHttp\Psr7\Uri($page);
            $found = Spatie\MixedContentScanner\MixedContentLinkedCssExtractor::extract($text, $uri, $uri);
        } else {
            $found = Spatie\MixedContentScanner\MixedContentExtractor::extract($text, $page);
            $document = new Bramus\MCS\DOMDocument();
            $document->loadHTML($text);
            array_push($said['bramus'], ...$document->extractMixedContentUrls());
        }
        foreach ($found as $one) {
            $said['spatie'][] = $one->url;
        }
    }
    echo json_encode($said);
}
